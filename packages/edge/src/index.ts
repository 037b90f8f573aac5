export { ConnectProbes, type ConnectProbesOptions, type OriginVerdict, type ProbedConnect } from './connect-probes.ts';
export {
  EdgePull,
  type EdgePullCounts,
  type EdgePullOptions,
  type EdgePullState,
  type EdgePullView,
  type PullSink,
  type PullStart,
} from './edge-pull.ts';
export { OriginPool } from './origin-pool.ts';
export { httpFlvUpstream, type OpenUpstream, rtmpUpstream } from './upstream.ts';
