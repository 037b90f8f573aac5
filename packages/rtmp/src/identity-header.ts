/** Who a server is, as it tells another one over HTTP: what connect and its answer say over RTMP, in one header. */
import type { ServerInfo } from './command-connect.ts';

/** Of a request, and of the answer to one that had it. */
export const IDENTITY_HEADER = 'x-srs-identity';

const MAX_HEADER_CHARACTERS = 256;
/** What a version, an address or a number is written with. */
const FIELD = /^[\w.:+-]{1,64}$/;

export type HeaderIdentity = Pick<ServerInfo, 'version' | 'serverIp' | 'pid' | 'id'>;

export function encodeIdentityHeader({ version, serverIp, pid, id }: HeaderIdentity): string {
  return `version=${version}; ip=${serverIp}; pid=${pid}; id=${id}`;
}

/** @returns undefined for what is no such header: it comes from the network */
export function decodeIdentityHeader(text: unknown): HeaderIdentity | undefined {
  if (typeof text !== 'string' || text.length > MAX_HEADER_CHARACTERS) return undefined;
  const fields = new Map<string, string>();
  for (const part of text.split(';')) {
    const [name = '', value = ''] = part.trim().split('=', 2);
    if (FIELD.test(value)) fields.set(name, value);
  }
  const pid = Number(fields.get('pid') ?? 0);
  const id = Number(fields.get('id') ?? 0);
  if (!Number.isSafeInteger(pid) || pid <= 0 || !Number.isSafeInteger(id)) return undefined;
  const version = fields.get('version') ?? '';
  return { version, serverIp: fields.get('ip') ?? '', pid, id };
}

/** As SRS writes it down. */
export const describePeer = ({ serverIp, version, pid, id }: HeaderIdentity): string =>
  `edge-srs ip=${serverIp}, version=${version}, pid=${pid}, id=${id}`;
