/** Writes the initialization segment: ftyp, and a moov without samples (ISO/IEC 14496-12, 8.2-8.8). */
import type { AudioTrack } from './audio-track.ts';
import { ascii, box, fullBox, u16, u32, zeros } from './box.ts';
import { sampleFlags } from './fragment.ts';
import { VIDEO_TIMESCALE } from './limits.ts';
import { audioSampleEntry, videoSampleEntry } from './sample-entry.ts';
import type { VideoTrack } from './video-track.ts';

/** They stay what they are when a track comes or goes. */
export const trackIds = { video: 1, audio: 2 } as const;
const NEXT_TRACK_ID = 3;

/** iso5 has default-base-is-moof, iso6 signed composition offsets in fragments. */
const brands = ['iso5', 'iso6', 'mp41'] as const;
const MINOR_VERSION = 512;
const MOVIE_TIMESCALE = 1000;
/** Fixed point: 16.16 and 8.8. */
const RATE_1 = 0x0001_0000;
const VOLUME_1 = 0x0100;
const identityMatrix = [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000] as const;
/** tkhd: enabled, used in the presentation. */
const TRACK_ENABLED = 0x000003;
/** `und` in three times five bits. */
const LANGUAGE_UNDETERMINED = 0x55c4;
/** vmhd has this flag for no reason that is still known. */
const VIDEO_HEADER_FLAGS = 1;
/** dref: the media is in this file. */
const SELF_CONTAINED = 1;

export function writeInitSegment(video: VideoTrack | undefined, audio: AudioTrack | undefined): Buffer {
  const tracks: Buffer[] = [];
  const defaults: Buffer[] = [];
  if (video !== undefined) {
    tracks.push(videoTrack(video));
    defaults.push(trackDefaults(trackIds.video, sampleFlags.notSync));
  }
  if (audio !== undefined) {
    tracks.push(audioTrack(audio));
    defaults.push(trackDefaults(trackIds.audio, sampleFlags.sync));
  }
  const codecBrands = video?.codec === 'av1' ? ['av01'] : [];
  return Buffer.concat([
    box('ftyp', ascii(brands[0]), u32(MINOR_VERSION), ascii([...brands, ...codecBrands].join(''))),
    box('moov', movieHeader(), ...tracks, box('mvex', ...defaults)),
  ]);
}

function movieHeader(): Buffer {
  const times = u32(0, 0, MOVIE_TIMESCALE, 0);
  return fullBox(
    'mvhd',
    0,
    0,
    times,
    u32(RATE_1),
    u16(VOLUME_1),
    zeros(10),
    u32(...identityMatrix),
    zeros(24),
    u32(NEXT_TRACK_ID),
  );
}

function videoTrack(track: VideoTrack): Buffer {
  const media = { timescale: VIDEO_TIMESCALE, handler: 'vide', name: 'VideoHandler' };
  const mediaHeader = fullBox('vmhd', 0, VIDEO_HEADER_FLAGS, zeros(8));
  return box(
    'trak',
    trackHeader(trackIds.video, 0, track.width, track.height),
    mediaBox(media, mediaHeader, videoSampleEntry(track)),
  );
}

function audioTrack(track: AudioTrack): Buffer {
  const media = { timescale: track.sampleRate, handler: 'soun', name: 'SoundHandler' };
  const mediaHeader = fullBox('smhd', 0, 0, zeros(4));
  return box('trak', trackHeader(trackIds.audio, VOLUME_1, 0, 0), mediaBox(media, mediaHeader, audioSampleEntry(track)));
}

function trackHeader(trackId: number, volume: number, width: number, height: number): Buffer {
  return fullBox(
    'tkhd',
    0,
    TRACK_ENABLED,
    u32(0, 0, trackId, 0, 0),
    zeros(8),
    u16(0, 0, volume, 0),
    u32(...identityMatrix),
    u16(width, 0, height, 0),
  );
}

interface Media {
  readonly timescale: number;
  readonly handler: string;
  readonly name: string;
}

function mediaBox(media: Media, mediaHeader: Buffer, sampleEntry: Buffer): Buffer {
  const dataReferences = fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, SELF_CONTAINED));
  return box(
    'mdia',
    fullBox('mdhd', 0, 0, u32(0, 0, media.timescale, 0), u16(LANGUAGE_UNDETERMINED, 0)),
    fullBox('hdlr', 0, 0, u32(0), ascii(media.handler), zeros(12), ascii(`${media.name}\0`)),
    box('minf', mediaHeader, box('dinf', dataReferences), sampleTables(sampleEntry)),
  );
}

/** All empty: the samples are in the fragments. */
function sampleTables(sampleEntry: Buffer): Buffer {
  return box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), sampleEntry),
    fullBox('stts', 0, 0, u32(0)),
    fullBox('stsc', 0, 0, u32(0)),
    fullBox('stsz', 0, 0, u32(0, 0)),
    fullBox('stco', 0, 0, u32(0)),
  );
}

/** What fragments do not say of their samples themselves. */
function trackDefaults(trackId: number, flags: number): Buffer {
  return fullBox('trex', 0, 0, u32(trackId, 1, 0, 0, flags));
}
