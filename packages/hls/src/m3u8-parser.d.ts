/** The part of m3u8-parser that tests use: it has no types of its own. */
declare module 'm3u8-parser' {
  interface ParsedSegment {
    readonly uri: string;
    readonly duration: number;
    readonly discontinuity?: boolean;
    readonly parts?: readonly { readonly uri: string }[];
    readonly key?: { readonly method: string; readonly uri: string };
  }

  interface Manifest {
    readonly mediaSequence: number;
    readonly discontinuitySequence: number;
    readonly targetDuration: number;
    readonly endList?: boolean;
    readonly partTargetDuration?: number;
    /** What has parts and is not whole. */
    readonly preloadSegment?: Pick<ParsedSegment, 'parts'>;
    readonly segments: readonly ParsedSegment[];
  }

  export class Parser {
    readonly manifest: Manifest;
    on(event: 'warn', listener: (warning: { readonly message: string }) => void): void;
    push(text: string): void;
    end(): void;
  }
}
