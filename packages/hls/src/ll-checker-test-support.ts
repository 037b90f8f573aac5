/** Holds the versions of a low-latency playlist to RFC 8216bis, in what it has beside RFC 8216. It reads the text with a reader of its own. */

export interface LowLatencyVersion {
  readonly text: string;
  /** A publish has begun anew since the version before: what was hinted at need not come. */
  readonly isNewPublish?: boolean;
}

export interface ReadPart {
  readonly sequence: number;
  readonly index: number;
  readonly uri: string;
  readonly durationMs: number;
  readonly isIndependent: boolean;
  /** Of the key that it is encrypted with. */
  readonly keyUri?: string;
}

interface Reading {
  readonly targetMs: number;
  readonly partTargetMs: number;
  readonly control: ReadonlyMap<string, string>;
  readonly parts: readonly ReadPart[];
  readonly hint: string | undefined;
  /** Lengths of whole segments by number. */
  readonly segments: ReadonlyMap<number, number>;
}

function attributesOf(text: string): Map<string, string> {
  return new Map(
    Array.from(text.matchAll(/([A-Z-]+)=("[^"]*"|[^,]*)/g), ([, name, value]) => [name!, value!.replaceAll('"', '')]),
  );
}

const toMs = (seconds: string | undefined): number => Math.round(Number(seconds) * 1000);

export function readLowLatency(text: string): Reading {
  const tagOf = (tag: string): string => new RegExp(`^#${tag}:(.*)$`, 'm').exec(text)?.[1] ?? '';
  const parts: ReadPart[] = [];
  const segments = new Map<number, number>();
  let sequence = Number(tagOf('EXT-X-MEDIA-SEQUENCE'));
  let index = 0;
  let keyUri: string | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('#EXT-X-KEY:')) keyUri = attributesOf(line).get('URI');
    if (line.startsWith('#EXT-X-SKIP:')) sequence += Number(attributesOf(line).get('SKIPPED-SEGMENTS'));
    if (line.startsWith('#EXT-X-PART:')) {
      const attributes = attributesOf(line);
      const isIndependent = attributes.get('INDEPENDENT') === 'YES';
      const part = { sequence, index, uri: attributes.get('URI')!, durationMs: toMs(attributes.get('DURATION')), isIndependent };
      parts.push(keyUri === undefined ? part : { ...part, keyUri });
      index += 1;
    }
    if (line.startsWith('#EXTINF:')) segments.set(sequence, toMs(line.slice('#EXTINF:'.length, -1)));
    if (line !== '' && !line.startsWith('#')) {
      sequence += 1;
      index = 0;
    }
  }
  return {
    targetMs: Number(tagOf('EXT-X-TARGETDURATION')) * 1000,
    partTargetMs: toMs(attributesOf(tagOf('EXT-X-PART-INF')).get('PART-TARGET')),
    control: attributesOf(tagOf('EXT-X-SERVER-CONTROL')),
    hint: attributesOf(tagOf('EXT-X-PRELOAD-HINT')).get('URI'),
    parts,
    segments,
  };
}

/**
 * @param partMs what parts are meant to last, where pictures that come late may raise the part target for a while
 * @returns what is broken, each with the index of its version
 */
export function checkLowLatency(versions: readonly LowLatencyVersion[], partMs = Number.POSITIVE_INFINITY): readonly string[] {
  const broken: string[] = [];
  const known = new Map<string, ReadPart>();
  let hint: string | undefined;
  for (const [version, { text, isNewPublish = false }] of versions.entries()) {
    const report = (detail: string): number => broken.push(`${version}: ${detail}`);
    const reading = readLowLatency(text);
    checkControl(reading, report);
    checkSums(reading, report);
    const added = reading.parts.filter((part) => !known.has(part.uri));
    if (isNewPublish) hint = undefined;
    if (hint !== undefined && added.length > 0 && added[0]!.uri !== hint) report(`${added[0]!.uri} came, the hint was ${hint}`);
    for (const part of added) checkLength(part, reading, partMs, report);
    for (const part of reading.parts) {
      const before = known.get(part.uri) ?? part;
      if (JSON.stringify(before) !== JSON.stringify(part)) report(`${part.uri} has changed`);
      known.set(part.uri, part);
    }
    if (added.length > 0 || isNewPublish) hint = undefined;
    hint = reading.hint ?? hint;
  }
  return broken;
}

type Report = (detail: string) => void;

/** 4.4.3.7 and 4.4.3.8. */
function checkControl({ control, targetMs, partTargetMs }: Reading, report: Report): void {
  const atLeast = (name: string, leastMs: number): void => {
    if (!(toMs(control.get(name)) >= leastMs)) report(`${name}=${control.get(name)} must be at least ${leastMs} ms`);
  };
  if (control.get('CAN-BLOCK-RELOAD') !== 'YES') report('CAN-BLOCK-RELOAD must be YES');
  atLeast('HOLD-BACK', 3 * targetMs);
  atLeast('PART-HOLD-BACK', 3 * partTargetMs);
  atLeast('CAN-SKIP-UNTIL', 6 * targetMs);
  if (!(partTargetMs > 0)) report('PART-TARGET is missing');
}

/** 4.4.4.9: parts make up their segment, and none is listed that is further than three target durations from the end. */
function checkSums({ parts, segments, targetMs, partTargetMs }: Reading, report: Report): void {
  const last = Math.max(-1, ...segments.keys());
  for (const [sequence, durationMs] of segments) {
    const own = parts.filter((part) => part.sequence === sequence);
    const sum = own.reduce((total, part) => total + part.durationMs, 0);
    if (own.length > 0 && sum !== durationMs) report(`the parts of ${sequence} last ${sum} ms, the segment ${durationMs}`);
  }
  const openMs = parts.filter((part) => part.sequence > last).reduce((total, part) => total + part.durationMs, 0);
  const first = parts[0]?.sequence ?? last + 1;
  const listedMs = [...segments].filter(([sequence]) => sequence >= first).reduce((total, [, ms]) => total + ms, 0);
  if (first <= last && listedMs + openMs > 3 * targetMs + Math.max(partTargetMs, openMs))
    report(`parts of ${first} are listed too long`);
  for (const part of parts)
    if (part.durationMs > partTargetMs) report(`${part.uri} lasts ${part.durationMs} ms, more than the target`);
}

function checkLength(part: ReadPart, { parts, segments, partTargetMs }: Reading, partMs: number, report: Report): void {
  const isLast = !parts.some((other) => other.sequence === part.sequence && other.index > part.index);
  // The last one of a segment may be short; of the open segment, none is the last.
  if (isLast && segments.has(part.sequence)) return;
  if (part.durationMs < 0.85 * Math.min(partTargetMs, partMs))
    report(`${part.uri} lasts ${part.durationMs} ms, less than 85 % of ${partTargetMs}`);
}
