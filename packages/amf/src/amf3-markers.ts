/** The first byte of each AMF3 value (AMF3 specification, 3.1). */
export const amf3Markers = {
  undefined: 0x00,
  null: 0x01,
  false: 0x02,
  true: 0x03,
  integer: 0x04,
  double: 0x05,
  string: 0x06,
  xmlDocument: 0x07,
  date: 0x08,
  array: 0x09,
  object: 0x0a,
  xml: 0x0b,
  byteArray: 0x0c,
  vectorInt: 0x0d,
  vectorUint: 0x0e,
  vectorDouble: 0x0f,
  vectorObject: 0x10,
  dictionary: 0x11,
} as const;

/** A U29 holds 29 bits: lengths whose lowest bit is a flag have 28 left. */
export const MAX_U29 = 0x1fffffff;
