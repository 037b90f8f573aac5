export { HookCaller, type HookNotice, type HookQuestion } from './hook-caller.ts';
export { type AskedEvent, type HookFacts, hookBody, type ToldEvent } from './hook-event.ts';
