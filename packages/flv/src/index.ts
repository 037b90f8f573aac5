export { defaultFlvLimits, type FlvHandler, type FlvLimits, FlvReader } from './reader.ts';
export {
  decodeFlvHeader,
  decodeFlvTagHeader,
  encodeFlvHeader,
  encodeFlvTag,
  FLV_HEADER_BYTES,
  FLV_TAG_HEADER_BYTES,
  type FlvHeader,
  type FlvTagHeader,
  flvTagBytes,
  MAX_FLV_PAYLOAD_BYTES,
  PREVIOUS_TAG_SIZE_BYTES,
  writeFlvTag,
  writeFlvTagHeader,
} from './tag.ts';
