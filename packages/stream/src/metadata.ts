/** onMetaData: unwrapped from what encoders send, completed with what this server says of itself. */
import { AmfObject, type AmfValue, decodeAmf0, encodeAmf0 } from '@srs/amf';

const SET_DATA_FRAME = '@setDataFrame';
const ON_META_DATA = 'onMetaData';
/** Where what is in a file: means nothing in a stream that is made of it, and is more than joiners can be given. */
const fileProperties: ReadonlySet<string> = new Set(['keyframes', 'spacer']);

export interface Metadata {
  /** Body of the data message that players get. */
  readonly payload: Buffer;
  /** Hz; 0 when it is not told. */
  readonly audioSampleRate: number;
  /** Frames per second; 0 when it is not told. */
  readonly frameRate: number;
  /** `bravo_atc` is the text `true`: the encoder wants its absolute timestamps kept. */
  readonly wantsAtc: boolean;
  /** A few values for the log line. */
  readonly summary: string;
}

/** Names and values that are put at the end of every onMetaData. */
export type ServerProperties = readonly (readonly [string, string])[];

/**
 * Takes the body of a data message apart.
 * @returns undefined when it is not metadata: another event of the encoder, which is relayed as it is
 * @throws SrsError Amf0Decode when it claims to be metadata and cannot be read
 */
export function parseMetadata(payload: Buffer, serverProperties: ServerProperties): Metadata | undefined {
  if (!mayBeMetadata(payload)) return undefined;
  const values = decodeAmf0(payload);
  let [name, value] = values;
  if (name === SET_DATA_FRAME) {
    name = values[1];
    value = values[2];
  }
  if (name !== ON_META_DATA) return undefined;
  // Empty, false or absent metadata is still the start of a stream: players get the server's own properties.
  const given = value instanceof AmfObject ? Array.from(value.entries()) : [];
  const properties = AmfObject.object(given.filter(([key]) => !fileProperties.has(key)));
  for (const [key, text] of serverProperties) properties.set(key, text);
  return {
    payload: encodeAmf0(ON_META_DATA, properties),
    audioSampleRate: positive(properties.getNumber('audiosamplerate')),
    frameRate: positive(properties.getNumber('framerate')),
    wantsAtc: properties.getString('bravo_atc') === 'true',
    summary: summarise(properties),
  };
}

const AMF0_STRING = 0x02;
const STRING_HEAD_BYTES = 3;

/** Only a body that begins with one of the two names is decoded: FFmpeg sends timecodes that are no AMF at all. */
function mayBeMetadata(payload: Buffer): boolean {
  return [SET_DATA_FRAME, ON_META_DATA].some(
    (name) =>
      payload.length >= STRING_HEAD_BYTES + name.length &&
      payload[0] === AMF0_STRING &&
      payload.readUInt16BE(1) === name.length &&
      payload.toString('latin1', STRING_HEAD_BYTES, STRING_HEAD_BYTES + name.length) === name,
  );
}

function positive(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : 0;
}

const SUMMARY_KEYS: readonly (readonly [string, string])[] = [
  ['width', 'width'],
  ['height', 'height'],
  ['videocodecid', 'vcodec'],
  ['audiocodecid', 'acodec'],
];

function summarise(properties: AmfObject): string {
  return SUMMARY_KEYS.filter(([key]) => properties.has(key))
    .map(([key, word]) => `, ${word}=${textOf(properties.get(key))}`)
    .join('');
}

function textOf(value: AmfValue): string {
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string' ? String(value) : 'object';
}
