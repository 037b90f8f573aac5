export { type AddressWords, formatAddress, parseAddress } from './address.ts';
export { AddressLimiter, type AddressLimiterOptions, AddressPlace } from './address-limiter.ts';
export { AddressTable, type AddressTableOptions, addressTableBytes } from './address-table.ts';
export { checkRefer } from './refer.ts';
export type { Refusal, RefusalKind, StreamUse } from './refusal.ts';
export { checkSecurity } from './security-rules.ts';
export { grantParameters, type SignedGrant } from './signature.ts';
export { checkStreamAccess, type StreamRequest } from './stream-access.ts';
export { type ViewerState, ViewerTable, viewerTableBytes } from './viewer-table.ts';
