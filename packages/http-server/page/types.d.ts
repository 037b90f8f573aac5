/** What the server tells of its streams (`PageDocument`), and what the parts of the page tell each other. */

export interface Catalogue {
  readonly rtmp: string;
  readonly total: number;
  readonly streams: readonly Stream[];
}

export interface Stream {
  readonly app: string;
  readonly stream: string;
  readonly isPublished: boolean;
  /** Tells one publish from the next. */
  readonly publishId: number | null;
  readonly players: number;
  readonly video: VideoFacts | null;
  readonly audio: AudioFacts | null;
  readonly urls: { readonly rtmp: string; readonly flv: string | null; readonly hls: string | null };
}

export interface VideoFacts {
  readonly codec: string;
  readonly profile: string;
  readonly width: number;
  readonly height: number;
}

export interface AudioFacts {
  readonly codec: string;
  readonly sampleRate: number;
  readonly channels: number;
}

export type PlayerName = 'flv' | 'ws' | 'hls';

/** Why a player has stopped. */
export interface Fault {
  /** For people. */
  readonly text: string;
  /** When to try again; undefined when only another publish can help. */
  readonly retryMs: number | undefined;
}

export interface Player {
  /** Seconds between what is shown and the newest that is known of; undefined while that is not known. */
  delay(): number | undefined;
  /** When it resolves, another one may have the `video`. */
  close(): Promise<void>;
}

/** What the page says of the stream that was chosen. */
export interface State {
  readonly kind: 'connecting' | 'playing' | 'paused' | 'waiting' | 'problem';
  readonly text: string;
}
