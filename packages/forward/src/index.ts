export type { ForwardSource, ForwardView } from './forward-output.ts';
export { type ForwardOptions, type ForwardRefusal, Forwards } from './forwards.ts';
