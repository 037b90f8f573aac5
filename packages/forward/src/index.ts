export type { ForwardView } from './forward-output.ts';
export { type ForwardOptions, Forwards } from './forwards.ts';
