export { type AudioSpecificConfig, aacSampleRates, parseAudioSpecificConfig } from './aac.ts';
export { type AudioCodec, type AudioPacket, type AudioTag, describeAudio, describeAudioTracks } from './audio-tag.ts';
export { type Av1DecoderConfiguration, parseAv1DecoderConfiguration } from './av1.ts';
export {
  type AvcDecoderConfiguration,
  type AvcSequenceParameterSet,
  parseAvcDecoderConfiguration,
  parseAvcSequenceParameterSet,
} from './avc.ts';
export { classifyFrame } from './frame-class.ts';
export {
  type HevcDecoderConfiguration,
  type HevcSequenceParameterSet,
  looksLikeHevcConfiguration,
  parseHevcDecoderConfiguration,
  parseHevcPictureSize,
  parseHevcSequenceParameterSet,
} from './hevc.ts';
export type { PictureSize } from './parameter-sets.ts';
export {
  describeSequenceHeader,
  parseVideoConfiguration,
  type SequenceHeaderHints,
  type VideoConfiguration,
} from './sequence-header.ts';
export { describeVideo, describeVideoTracks, type VideoCodec, type VideoPacket, type VideoTag } from './video-tag.ts';
