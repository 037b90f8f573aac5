/** The connect command: what a client says of itself and how the server presents itself in return. */
import { AmfObject, type AmfValue } from '@srs/amf';
import { SrsError } from '@srs/kernel';
import { type Command, encodeCommand, typeOf } from './command-message.ts';

/** What an enhanced-RTMP client can do (Enhanced RTMP v2, "Enhancing NetConnection connect Command"). */
export interface EnhancedCapabilities {
  /** Codecs as FourCC, `*` for any. */
  readonly fourCcList: readonly string[] | undefined;
  /** FourCC to a mask of 1 can decode, 2 can encode, 4 can forward. */
  readonly videoFourCcInfoMap: ReadonlyMap<string, number> | undefined;
  readonly audioFourCcInfoMap: ReadonlyMap<string, number> | undefined;
  /** Mask of `capsEx`; undefined when the client sent none. */
  readonly capsEx: number | undefined;
}

/** Bits of `capsEx`. */
export const capsEx = { reconnect: 1, multitrack: 2, modEx: 4, timestampNanoOffset: 8 } as const;

const CAN_FORWARD = 4;
/** Media passes through unread, so all that concerns only its bytes is supported; a request to reconnect is never sent. */
const SUPPORTED_CAPS_EX = capsEx.multitrack | capsEx.modEx | capsEx.timestampNanoOffset;
const MAX_FOUR_CCS = 64;
/** Bytes of each text property; the longest in use are page addresses with their parameters. */
const MAX_TEXT_BYTES = 8192;

export interface ConnectRequest {
  readonly transactionId: number;
  /** `rtmp://host:port/app?vhost=...`, as the client typed it. */
  readonly tcUrl: string;
  /** The texts are '' when the client sent none, or something that is no text. */
  readonly app: string;
  readonly pageUrl: string;
  readonly swfUrl: string;
  readonly flashVer: string;
  /** 0 (AMF0) or 3 (AMF3) as the client sent it. */
  readonly objectEncoding: number;
  /** The argument object after the properties: tokens, or the identity of another server. */
  readonly args: AmfObject | undefined;
  /** Who an SRS-like server on the other side says it is. */
  readonly peer: PeerIdentity | undefined;
  /** Names of the servers that what it publishes has passed through, from the publisher's on; none from a client that is no server. */
  readonly hops: readonly string[];
  readonly enhanced: EnhancedCapabilities | undefined;
  /** All properties as received. */
  readonly raw: AmfObject;
}

/** What a client tells of itself, and where it wants to go. */
export interface ConnectOptions {
  readonly tcUrl: string;
  readonly app: string;
  readonly pageUrl?: string;
  readonly swfUrl?: string;
  readonly flashVer?: string;
  /** The argument object after the properties. */
  readonly args?: AmfObject;
  /** Further properties, in order, after the usual ones. */
  readonly connectProperties?: Iterable<readonly [string, AmfValue]>;
}

/** How a server presents itself, in `connect` answers and (as client) in connect arguments. */
export interface ServerInfo {
  /** For instance `SRS/2.0.0(Name)`. */
  readonly server: string;
  readonly license: string;
  readonly role: string;
  readonly url: string;
  readonly version: string;
  readonly site: string;
  readonly email: string;
  readonly copyright: string;
  readonly primary: string;
  readonly authors: string;
  /** The local address that the client has reached. */
  readonly serverIp: string;
  readonly pid: number;
  /** The trackable id of the connection in this server's log. */
  readonly id: number;
}

/** What a peer told of itself; '' and 0 for what it left out. */
export interface PeerIdentity {
  readonly server: string;
  readonly primary: string;
  readonly authors: string;
  readonly version: string;
  readonly serverIp: string;
  readonly pid: number;
  readonly id: number;
}

const FMS_VERSION = '3,5,3,888';
const FMS_CAPABILITIES = 127;
const SIGNATURE = 'SRS';

/** Flash Player's words; the masks say that it takes every codec. */
const CLIENT_FLASH_VERSION = 'WIN 12,0,0,41';
const CLIENT_CAPABILITIES = 239;
const CLIENT_AUDIO_CODECS = 3575;
const CLIENT_VIDEO_CODECS = 252;
const CLIENT_VIDEO_FUNCTION = 1;

/** @returns the payload of a connect command */
export function encodeConnect(transactionId: number, options: ConnectOptions): Buffer {
  const properties = AmfObject.object([
    ['app', options.app],
    ['flashVer', options.flashVer ?? CLIENT_FLASH_VERSION],
    ['swfUrl', options.swfUrl ?? ''],
    ['tcUrl', options.tcUrl],
    ['fpad', false],
    ['capabilities', CLIENT_CAPABILITIES],
    ['audioCodecs', CLIENT_AUDIO_CODECS],
    ['videoCodecs', CLIENT_VIDEO_CODECS],
    ['videoFunction', CLIENT_VIDEO_FUNCTION],
    ['pageUrl', options.pageUrl ?? ''],
    ['objectEncoding', 0],
    ...(options.connectProperties ?? []),
  ]);
  return encodeCommand('connect', transactionId, properties, ...(options.args === undefined ? [] : [options.args]));
}

/** @throws SrsError RtmpConnect without properties or `tcUrl`, or with a text of more than 8192 bytes */
export function parseConnect(command: Command): ConnectRequest {
  const raw = command.object;
  if (!(raw instanceof AmfObject)) throw new SrsError('RtmpConnect', `connect object must be an object, not ${typeOf(raw)}`);
  const tcUrl = readText(raw, 'tcUrl');
  if (tcUrl === '') {
    const given = raw.get('tcUrl');
    throw new SrsError('RtmpConnect', `connect tcUrl must be a text, not ${given === '' ? 'empty' : typeOf(given)}`);
  }
  const args = command.args.find((value) => value instanceof AmfObject);
  return {
    transactionId: command.transactionId,
    tcUrl,
    app: readText(raw, 'app'),
    pageUrl: readText(raw, 'pageUrl'),
    swfUrl: readText(raw, 'swfUrl'),
    flashVer: readText(raw, 'flashVer'),
    objectEncoding: raw.getNumber('objectEncoding') ?? 0,
    args,
    peer: args === undefined ? undefined : readPeerIdentity(args),
    hops: [...(args === undefined ? [] : readHops(args)), ...readHops(raw)].slice(0, MAX_HOPS),
    enhanced: readEnhanced(raw),
    raw,
  };
}

/** @returns who the sender of `properties` is, if those are the words of an SRS-like server */
export function readPeerIdentity(properties: AmfObject): PeerIdentity | undefined {
  const pid = properties.getNumber('srs_pid') ?? 0;
  if (!(pid > 0)) return undefined;
  return {
    server: properties.getString('srs_server') ?? '',
    // Newer versions fold both names into one.
    primary: properties.getString('srs_primary') ?? properties.getString('srs_primary_authors') ?? '',
    authors: properties.getString('srs_authors') ?? '',
    version: readShortText(properties, 'srs_version'),
    serverIp: readShortText(properties, 'srs_server_ip'),
    pid,
    id: properties.getNumber('srs_id') ?? 0,
  };
}

/** It is kept for as long as the connection lasts: a longer one counts as left out. */
const MAX_IDENTITY_CHARACTERS = 64;

function readShortText(properties: AmfObject, name: string): string {
  const text = properties.getString(name) ?? '';
  return text.length > MAX_IDENTITY_CHARACTERS ? '' : text;
}

/** The argument object with which a server that is a client here (edge, forward) says who it is. */
export function identityArguments(info: ServerInfo): AmfObject {
  return AmfObject.object([
    ...describeServer(info),
    ['srs_pid', info.pid],
    ['srs_id', info.id],
    ['srs_server_ip', info.serverIp],
  ]);
}

/** Adds the names of the servers that the stream has passed through, this one last, to the arguments of connect. */
export function withHops(args: AmfObject, hops: readonly string[]): AmfObject {
  return args.set(...hopsProperty(hops));
}

/** The same as a property of connect itself, where the arguments are to stay as somebody else has made them. */
export const hopsProperty = (hops: readonly string[]): readonly [string, string] => ['srs_hops', hops.join(' ')];

/** More than any sensible chain of servers has. */
const MAX_HOPS = 32;

function readHops(args: AmfObject): readonly string[] {
  const text = readText(args, 'srs_hops');
  return text === '' ? [] : text.split(' ', MAX_HOPS);
}

/**
 * @returns the payload of connect's `_result`. Commands stay AMF0 whatever the client offered, so objectEncoding is 0.
 */
export function encodeConnectResult(request: ConnectRequest, info: ServerInfo, transactionId: number): Buffer {
  const properties = AmfObject.object({ fmsVer: `FMS/${FMS_VERSION}`, capabilities: FMS_CAPABILITIES, mode: 1 });
  const status = AmfObject.object({
    level: 'status',
    code: 'NetConnection.Connect.Success',
    description: 'Connection succeeded',
    objectEncoding: 0,
    data: AmfObject.ecmaArray([
      ['version', FMS_VERSION],
      ...describeServer(info),
      ['srs_server_ip', info.serverIp],
      ['srs_pid', info.pid],
      ['srs_id', info.id],
    ]),
  });
  // Implementations look for the capabilities in either object, and only clients that sent theirs expect any.
  for (const [key, value] of answerEnhanced(request.enhanced)) {
    properties.set(key, value);
    status.set(key, value);
  }
  return encodeCommand('_result', transactionId, properties, status);
}

function describeServer(info: ServerInfo): [string, AmfValue][] {
  return [
    ['srs_sig', SIGNATURE],
    ['srs_server', info.server],
    ['srs_license', info.license],
    ['srs_role', info.role],
    ['srs_url', info.url],
    ['srs_version', info.version],
    ['srs_site', info.site],
    ['srs_email', info.email],
    ['srs_copyright', info.copyright],
    ['srs_primary', info.primary],
    ['srs_authors', info.authors],
  ];
}

/** These texts live as long as the connection, and stand in logs and pages. */
function readText(raw: AmfObject, key: string): string {
  const text = raw.getString(key) ?? '';
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_TEXT_BYTES)
    throw new SrsError('RtmpConnect', `connect ${key} of ${bytes} bytes must have at most ${MAX_TEXT_BYTES}`);
  return text;
}

function readEnhanced(raw: AmfObject): EnhancedCapabilities | undefined {
  const list = raw.get('fourCcList');
  const capabilities: EnhancedCapabilities = {
    fourCcList: Array.isArray(list) ? list.filter(isFourCc).slice(0, MAX_FOUR_CCS) : undefined,
    videoFourCcInfoMap: readInfoMap(raw.getObject('videoFourCcInfoMap')),
    audioFourCcInfoMap: readInfoMap(raw.getObject('audioFourCcInfoMap')),
    capsEx: raw.getNumber('capsEx'),
  };
  return Object.values(capabilities).every((value) => value === undefined) ? undefined : capabilities;
}

/** Four characters, or `*` for any codec. */
function isFourCc(value: AmfValue): value is string {
  return typeof value === 'string' && value.length <= 4;
}

function readInfoMap(object: AmfObject | undefined): ReadonlyMap<string, number> | undefined {
  if (object === undefined) return undefined;
  const map = new Map<string, number>();
  for (const [fourCc, mask] of object) {
    if (typeof mask === 'number' && isFourCc(fourCc) && map.size < MAX_FOUR_CCS) map.set(fourCc, mask);
  }
  return map;
}

function answerEnhanced(enhanced: EnhancedCapabilities | undefined): [string, AmfValue][] {
  if (enhanced === undefined) return [];
  const answer: [string, AmfValue][] = [];
  if (enhanced.fourCcList !== undefined) answer.push(['fourCcList', enhanced.fourCcList]);
  if (enhanced.videoFourCcInfoMap !== undefined) answer.push(['videoFourCcInfoMap', forwardAll(enhanced.videoFourCcInfoMap)]);
  if (enhanced.audioFourCcInfoMap !== undefined) answer.push(['audioFourCcInfoMap', forwardAll(enhanced.audioFourCcInfoMap)]);
  if (enhanced.capsEx !== undefined) answer.push(['capsEx', enhanced.capsEx & SUPPORTED_CAPS_EX]);
  return answer;
}

function forwardAll(map: ReadonlyMap<string, number>): AmfObject {
  return AmfObject.object([...map.keys()].map((fourCc) => [fourCc, CAN_FORWARD] as const));
}
