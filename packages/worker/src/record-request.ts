/** The question by which a back-source is told to record a stream, or not. */
import { SrsError } from '@srs/kernel';

interface RecordRequest {
  /** `vhost/app/stream`. */
  readonly streamId: string;
  /** Undefined for what the configuration says. */
  readonly isWanted: boolean | undefined;
}

const words: ReadonlyMap<unknown, boolean | undefined> = new Map([
  ['true', true],
  ['false', false],
  ['auto', undefined],
]);

/** @throws SrsError RequestUri naming the parameter, its value and what is allowed */
export function parseRecordRequest({ stream, on }: Readonly<Record<string, unknown>>): RecordRequest {
  if (typeof stream !== 'string' || stream === '') throw new SrsError('RequestUri', 'stream is missing: VHOST/APP/STREAM');
  if (!words.has(on))
    throw new SrsError('RequestUri', `on ${JSON.stringify(on) ?? 'is missing, it'} must be true, false or auto`);
  return { streamId: stream, isWanted: words.get(on) };
}
