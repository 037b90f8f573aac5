/** Sends what was asked for of a file, as fast as the client takes it and no faster. */
import type { ServerResponse } from 'node:http';
import type { HeldFile } from './file-held.ts';
import type { ByteRange } from './file-range.ts';

/** What is sent: bytes that were made for it, then bytes of the file. */
export interface FileBody extends ByteRange {
  readonly head: Buffer;
}

/** Of one client that is sent a large file. */
const PIECE_BYTES = 128 * 1024;
const nothing = Buffer.alloc(0);

export function bodyOf(first: number, end: number, head: Buffer = nothing): FileBody {
  return { head, first, end };
}

export function sizeOf({ head, first, end }: FileBody): number {
  return head.length + end - first;
}

export function partOf(body: FileBody, range: ByteRange): FileBody {
  const headBytes = body.head.length;
  return {
    head: body.head.subarray(range.first, range.end),
    first: body.first + Math.max(0, range.first - headBytes),
    end: body.first + Math.max(0, range.end - headBytes),
  };
}

/**
 * Sends the body piece by piece, with one piece in memory, and ends the response.
 * @returns false when the file turned out to be shorter than was promised: the connection is closed then, for the client waits
 * for bytes that are not there. True too when the client has gone.
 * @throws the system's error
 */
export async function sendPieces(response: ServerResponse, file: HeldFile, body: FileBody): Promise<boolean> {
  if (body.head.length > 0) await write(response, body.head);
  const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, body.end - body.first));
  for (let position = body.first; position < body.end; ) {
    if (response.destroyed) return true;
    const bytes = piece.subarray(0, Math.min(piece.length, body.end - position));
    const length = await file.read(bytes, position);
    if (length < bytes.length) {
      response.destroy();
      return false;
    }
    // The piece is used again only when the system has taken it.
    await write(response, bytes);
    position += length;
  }
  response.end();
  return true;
}

/** Resolves when the bytes have left, or never will. */
function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) {
      resolve();
      return;
    }
    const onEnd = (): void => {
      response.off('close', onEnd);
      resolve();
    };
    response.once('close', onEnd);
    response.write(bytes, onEnd);
  });
}
