export { Amf0Reader, decodeAmf0 } from './amf0-reader.ts';
export { encodeAmf0 } from './amf0-writer.ts';
export { decodeAmf3 } from './amf3-reader.ts';
export { type AmfLimits, defaultAmfLimits } from './limits.ts';
export {
  AmfDate,
  AmfDictionary,
  type AmfEntries,
  AmfObject,
  type AmfObjectKind,
  type AmfValue,
  AmfXml,
  amfToJson,
} from './value.ts';
