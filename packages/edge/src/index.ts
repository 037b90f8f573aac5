export {
  EdgePull,
  type EdgePullOptions,
  type EdgePullState,
  type EdgePullView,
  type PullSink,
  type PullStart,
} from './edge-pull.ts';
export { OriginPool } from './origin-pool.ts';
