/** Where one client of HTTP puts what it finds. */
import type { PlayerFigures } from './player-figures.ts';
import type { RequestCounter } from './request-figures.ts';

export interface HttpClientPlace {
  /** Its place in the figures. */
  readonly player: number;
  readonly figures: PlayerFigures;
  readonly requests: RequestCounter;
  /** The client is through, or has failed. Once. */
  onSettled(): void;
}
