export {
  ARMED_SLOTS,
  type EndReason,
  MAX_CAPACITY_BYTES,
  MIN_CAPACITY_BYTES,
  maxPayloadBytes,
  ringBytes,
  ringEndReasons,
  STICKY_SLOTS,
  stickyBytes,
  stickySlots,
} from './layout.ts';
export * from './memory-arena.ts';
export * from './region.ts';
export * from './region-table.ts';
export { endRing } from './ring-memory.ts';
export * from './ring-reader.ts';
export * from './ring-writer.ts';
export type { StickyRecord } from './sticky-slots.ts';
