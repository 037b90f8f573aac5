/** What a NAL unit is, by its first byte; and what each codec puts in front of a picture. */

export type MuxedVideoCodec = 'avc' | 'hevc';

/** Bits, so that the kinds of all units of a picture fit one number. */
export const nalKinds = { other: 0, delimiter: 1, vps: 2, sps: 4, pps: 8, randomAccess: 16 } as const;
export const PARAMETER_SETS = nalKinds.vps | nalKinds.sps | nalKinds.pps;

export interface NalSyntax {
  /** For messages. */
  readonly name: string;
  /** One of `nalKinds`. */
  kindOf(firstByte: number): number;
  /** An access unit delimiter that allows any kind of picture, with its start code. */
  readonly delimiter: Buffer;
}

const avcTypes = { idr: 5, sps: 7, pps: 8, delimiter: 9 } as const;
const hevcTypes = { firstIrap: 16, lastIrap: 23, vps: 32, sps: 33, pps: 34, delimiter: 35 } as const;

/** H.264, table 7-1. */
function avcKind(firstByte: number): number {
  switch (firstByte & 0x1f) {
    case avcTypes.idr:
      return nalKinds.randomAccess;
    case avcTypes.sps:
      return nalKinds.sps;
    case avcTypes.pps:
      return nalKinds.pps;
    case avcTypes.delimiter:
      return nalKinds.delimiter;
    default:
      return nalKinds.other;
  }
}

/** H.265, table 7-1. */
function hevcKind(firstByte: number): number {
  const type = (firstByte >>> 1) & 0x3f;
  switch (type) {
    case hevcTypes.vps:
      return nalKinds.vps;
    case hevcTypes.sps:
      return nalKinds.sps;
    case hevcTypes.pps:
      return nalKinds.pps;
    case hevcTypes.delimiter:
      return nalKinds.delimiter;
    default:
      return type >= hevcTypes.firstIrap && type <= hevcTypes.lastIrap ? nalKinds.randomAccess : nalKinds.other;
  }
}

export const nalSyntaxes: Readonly<Record<MuxedVideoCodec, NalSyntax>> = {
  avc: { name: 'h264', kindOf: avcKind, delimiter: Buffer.of(0, 0, 0, 1, 0x09, 0xf0) },
  hevc: { name: 'h265', kindOf: hevcKind, delimiter: Buffer.of(0, 0, 0, 1, 0x46, 0x01, 0x50) },
};
