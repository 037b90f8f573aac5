/** Reads what the samples of a track are: the entry of stsd and the decoder configuration inside it. */
import { SrsError } from '@srs/kernel';
import { objectTypeIndications } from './audio-track.ts';
import { BoxFields, boxesIn, findBox, nameOf } from './box-reader.ts';

export interface VideoDescription {
  readonly kind: 'video';
  readonly codec: 'avc' | 'hevc';
  /** AVCDecoderConfigurationRecord or HEVCDecoderConfigurationRecord. */
  readonly configuration: Buffer;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

export interface AudioDescription {
  readonly kind: 'audio';
  readonly codec: 'aac' | 'mp3';
  /** AudioSpecificConfig; empty for MP3. */
  readonly configuration: Buffer;
  /** As the entry says; the configuration of AAC tells the truth. */
  readonly sampleRate: number;
  readonly channels: number;
}

/** A track of another codec, which is left out. */
interface OtherDescription {
  readonly kind: 'other';
  readonly format: string;
}

export type SampleDescription = VideoDescription | AudioDescription | OtherDescription;

/** From the body of the entry to its boxes (ISO/IEC 14496-12, 12.1.3 and 12.2.3). */
const VIDEO_ENTRY_BYTES = 78;
const AUDIO_ENTRY_BYTES = 28;
/** What sound descriptions of QuickTime have more, by their version. */
const quickTimeBytes = [0, 16, 36] as const;

const videoFormats: ReadonlyMap<string, { readonly codec: 'avc' | 'hevc'; readonly configuration: string }> = new Map([
  ['avc1', { codec: 'avc', configuration: 'avcC' }],
  ['avc3', { codec: 'avc', configuration: 'avcC' }],
  ['hvc1', { codec: 'hevc', configuration: 'hvcC' }],
  ['hev1', { codec: 'hevc', configuration: 'hvcC' }],
]);

const descriptorTags = { elementaryStream: 3, decoderConfig: 4, decoderSpecificInfo: 5 } as const;
/** MPEG-4 audio, and the profiles of MPEG-2 AAC, which MP4 configures alike. */
const aacObjectTypes: ReadonlySet<number> = new Set([objectTypeIndications.aac, 0x66, 0x67, 0x68]);
const mp3ObjectTypes: ReadonlySet<number> = new Set([objectTypeIndications.mpeg1Audio, objectTypeIndications.mpeg2Audio]);

/**
 * @param stsd body of the box
 * @throws SrsError Mp4File when it is malformed, or a known codec has no configuration, or the track has several descriptions
 */
export function readSampleDescription(stsd: Buffer, trackId: number): SampleDescription {
  const fields = new BoxFields('stsd', stsd);
  fields.skip(4);
  const count = fields.u32();
  const [entry] = boxesIn(fields.slice(fields.remaining));
  if (count !== 1 || entry === undefined) {
    throw new SrsError('Mp4File', `mp4 track ${trackId} has ${entry === undefined ? 0 : count} sample descriptions, must have 1`);
  }
  const video = videoFormats.get(entry.type);
  if (video !== undefined) return readVideo(entry.type, entry.body, video.codec, video.configuration);
  if (entry.type === 'mp4a') return readAudio(entry.body);
  return { kind: 'other', format: nameOf(entry.type) };
}

function readVideo(type: string, body: Buffer, codec: 'avc' | 'hevc', configurationBox: string): VideoDescription {
  const fields = new BoxFields(type, body);
  fields.skip(24);
  const width = fields.u16();
  const height = fields.u16();
  fields.skip(VIDEO_ENTRY_BYTES - 28);
  const configuration = findBox(fields.slice(fields.remaining), configurationBox);
  if (configuration === undefined) throw new SrsError('Mp4File', `mp4 box ${type}/${configurationBox} is missing`);
  return { kind: 'video', codec, configuration: Buffer.from(configuration), width, height };
}

function readAudio(body: Buffer): AudioDescription | OtherDescription {
  const fields = new BoxFields('mp4a', body);
  fields.skip(8);
  const version = fields.u16();
  fields.skip(6);
  const channels = fields.u16();
  fields.skip(6);
  const sampleRate = fields.u16();
  fields.skip(AUDIO_ENTRY_BYTES - 26 + (quickTimeBytes[version] ?? 0));
  const boxes = fields.slice(fields.remaining);
  const esds = findBox(boxes, 'esds') ?? findBox(boxes, 'wave', 'esds');
  if (esds === undefined) throw new SrsError('Mp4File', 'mp4 box mp4a/esds is missing');
  const { objectType, specificInfo } = readElementaryStream(esds);
  if (mp3ObjectTypes.has(objectType))
    return { kind: 'audio', codec: 'mp3', configuration: Buffer.alloc(0), sampleRate, channels };
  if (!aacObjectTypes.has(objectType)) return { kind: 'other', format: `mp4a.${objectType.toString(16)}` };
  if (specificInfo === undefined) throw new SrsError('Mp4File', 'mp4 box esds has no audio configuration');
  return { kind: 'audio', codec: 'aac', configuration: Buffer.from(specificInfo), sampleRate, channels };
}

/** ES_Descriptor and the DecoderConfigDescriptor in it (ISO/IEC 14496-1, 7.2.6.5 and 7.2.6.6). */
function readElementaryStream(esds: Buffer): { readonly objectType: number; readonly specificInfo: Buffer | undefined } {
  const fields = new BoxFields('esds', esds);
  fields.skip(4);
  const stream = readDescriptor(fields, descriptorTags.elementaryStream);
  stream.skip(2);
  const flags = stream.u8();
  if ((flags & 0x80) !== 0) stream.skip(2); // dependsOn_ES_ID
  if ((flags & 0x40) !== 0) stream.skip(stream.u8()); // URL
  if ((flags & 0x20) !== 0) stream.skip(2); // OCR_ES_Id
  const decoder = readDescriptor(stream, descriptorTags.decoderConfig);
  const objectType = decoder.u8();
  decoder.skip(12);
  if (decoder.remaining === 0) return { objectType, specificInfo: undefined };
  const info = readDescriptor(decoder, descriptorTags.decoderSpecificInfo);
  return { objectType, specificInfo: info.slice(info.remaining) };
}

function readDescriptor(fields: BoxFields, tag: number): BoxFields {
  const found = fields.u8();
  if (found !== tag) throw new SrsError('Mp4File', `mp4 box esds descriptor ${found} must be ${tag}`);
  let size = 0;
  for (let i = 0; i < 4; i++) {
    const byte = fields.u8();
    size = (size << 7) | (byte & 0x7f);
    if ((byte & 0x80) === 0) break;
  }
  return new BoxFields('esds', fields.slice(size));
}
