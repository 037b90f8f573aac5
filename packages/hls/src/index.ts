export { type HlsFeature, type HlsFeatureOptions, hlsFeature } from './hls-feature.ts';
export type { SegmentEvent } from './segment-event.ts';
