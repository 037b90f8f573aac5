/** A server's no. */
import { SrsError } from '@srs/kernel';
import type { Redirect, Rejection } from '@srs/rtmp';

/** The server refused connect, publish or play. */
export class RtmpRefusal extends SrsError {
  /** What it said: code, description, and all other properties. */
  readonly rejection: Rejection;

  constructor(where: string, rejection: Rejection) {
    const { code, description, redirect } = rejection;
    const said = [code, description].filter((text) => text !== '').join(', ');
    super(
      'RtmpRejected',
      `${where} refused: ${said === '' ? 'no reason given' : said}${redirect === undefined ? '' : ' (redirect)'}`,
    );
    this.rejection = rejection;
  }

  /** Where the server sends the client instead (RTMP 302); following it is up to the caller. */
  get redirect(): Redirect | undefined {
    return this.rejection.redirect;
  }
}
