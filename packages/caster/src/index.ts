export { CasterServer } from './caster-server.ts';
export type { CasterServices } from './caster-services.ts';
