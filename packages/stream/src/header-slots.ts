/** What is kept of a stream for those who come later. */
import { stickySlots } from '@srs/ring';

/** The order in which a joiner gets it. */
export const headerSlots = [
  stickySlots.metadata,
  stickySlots.videoHeader,
  stickySlots.videoMetadata,
  stickySlots.audioHeader,
] as const;
