/** The box in stsd that says what the samples of a track are (ISO/IEC 14496-12, 12.1.3 and 12.2.3; 14496-14; 14496-15). */
import type { AudioTrack } from './audio-track.ts';
import { box, fullBox, u8, u16, u32, zeros } from './box.ts';
import type { VideoTrack } from './video-track.ts';

const DATA_REFERENCE_INDEX = 1;
/** Pixels an inch as 16.16; every writer says 72. */
const RESOLUTION = 0x0048_0000;
const DEPTH_COLOUR = 0x18;
const SAMPLE_SIZE_BITS = 16;

/** Descriptors of ISO/IEC 14496-1, 7.2.6. */
const descriptorTags = { elementaryStream: 3, decoderConfig: 4, decoderSpecificInfo: 5, syncLayerConfig: 6 } as const;
/** streamType 5 (audio) in six bits, upStream 0, a reserved 1. */
const AUDIO_STREAM = (5 << 2) | 1;
/** SLConfigDescriptor: "for use in MP4 files". */
const SYNC_LAYER_PREDEFINED_MP4 = 2;

const videoEntries = {
  avc: { entry: 'avc1', configuration: 'avcC' },
  hevc: { entry: 'hvc1', configuration: 'hvcC' },
  av1: { entry: 'av01', configuration: 'av1C' },
} as const;

export function videoSampleEntry(track: VideoTrack): Buffer {
  const { entry, configuration } = videoEntries[track.codec];
  return box(
    entry,
    zeros(6),
    u16(DATA_REFERENCE_INDEX),
    zeros(16),
    u16(track.width, track.height),
    u32(RESOLUTION, RESOLUTION, 0),
    u16(1), // frame_count
    zeros(32), // compressorname
    u16(DEPTH_COLOUR, 0xffff),
    box(configuration, track.record),
  );
}

export function audioSampleEntry(track: AudioTrack): Buffer {
  // 16.16 has no room for higher rates; decoders take them from the configuration.
  const rate = track.sampleRate <= 0xffff ? track.sampleRate : 0;
  const configuration = track.codec === 'opus' ? box('dOps', track.record) : fullBox('esds', 0, 0, elementaryStream(track));
  return box(
    track.codec === 'opus' ? 'Opus' : 'mp4a',
    zeros(6),
    u16(DATA_REFERENCE_INDEX),
    zeros(8),
    u16(track.channels, SAMPLE_SIZE_BITS, 0, 0),
    u16(rate, 0),
    configuration,
  );
}

function elementaryStream(track: AudioTrack): Buffer {
  const specificInfo = track.record.length === 0 ? [] : [descriptor(descriptorTags.decoderSpecificInfo, track.record)];
  return descriptor(
    descriptorTags.elementaryStream,
    u16(0), // ES_ID, which the track's id stands for
    u8(0),
    descriptor(
      descriptorTags.decoderConfig,
      u8(track.objectType, AUDIO_STREAM),
      zeros(3), // bufferSizeDB
      u32(0, 0), // maxBitrate and avgBitrate, unknown
      ...specificInfo,
    ),
    descriptor(descriptorTags.syncLayerConfig, u8(SYNC_LAYER_PREDEFINED_MP4)),
  );
}

/** `tag:8 | size in four groups of 7 bits | parts` */
function descriptor(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const size = body.length;
  return Buffer.concat([
    u8(tag, 0x80 | (size >>> 21), 0x80 | ((size >>> 14) & 0x7f), 0x80 | ((size >>> 7) & 0x7f), size & 0x7f),
    body,
  ]);
}
