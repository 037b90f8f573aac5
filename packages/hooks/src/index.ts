export { type HookCall, HookCaller, type HookNotice, type HookQuestion } from './hook-caller.ts';
export * from './hook-event.ts';
