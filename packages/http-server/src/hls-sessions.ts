/** Which viewers of HLS have sessions, and for how long. */
import type { Config, VhostConfig } from '@srs/config';

/** Players ask for the playlist once in a target duration. */
const SILENT_TARGETS = 3;
const MIN_SILENT_MS = 10_000;

/** Whether viewers of a vhost's HLS have sessions: `hls_ctx`, or else when there is something to hold them to. */
export function hasSessions(vhost: VhostConfig, { limits }: Config): boolean {
  switch (vhost.hls.ctx) {
    case 'on':
      return true;
    case 'off':
      return false;
    case 'auto': {
      const { enabled, onPlay, onStop } = vhost.hooks;
      const isTold = enabled && (onPlay.length > 0 || onStop.length > 0);
      const hasRules = vhost.security.enabled || vhost.refer.length > 0 || vhost.referPlay.length > 0 || vhost.playAuth.enabled;
      return isTold || hasRules || limits.playersPerIp > 0;
    }
  }
}

/** After which a viewer that asks for nothing is gone. */
export function silentMsOf({ hls }: VhostConfig): number {
  return Math.max(MIN_SILENT_MS, SILENT_TARGETS * hls.fragmentMs * Math.max(1, hls.tdRatio));
}
