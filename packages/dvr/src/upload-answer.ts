/** What an object store has answered, and its refusals as errors without secrets. */
import type { IncomingHttpHeaders } from 'node:http';
import { SrsError } from '@srs/kernel';

export interface StoreAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const MAX_REASON_LENGTH = 300;

/** The text of the first element of that name. The answers that matter here have no two of one name, no attributes, and no CDATA. */
export function elementText(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text?.replaceAll(/&(#x[0-9a-f]{1,6}|#\d{1,7}|\w{2,4});/gi, (whole, entity: string) => characterOf(entity) ?? whole);
}

/**
 * @param request what was asked, for the message
 * @param secrets words that no message may have, whatever the store says
 */
export function refusal(request: string, { status, body }: StoreAnswer, secrets: readonly string[]): SrsError {
  const code = elementText(body, 'Code');
  const message = elementText(body, 'Message');
  const said = [code, message].filter((part) => part !== undefined && part !== '').join(': ');
  let reason = said.replaceAll(/\p{Cc}/gu, ' ').slice(0, MAX_REASON_LENGTH);
  for (const secret of secrets) if (secret !== '') reason = reason.replaceAll(secret, '***');
  return new SrsError('HttpStatus', `${request} was answered with status ${status}${reason === '' ? '' : `, ${reason}`}`);
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

const namedCharacters: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function characterOf(entity: string): string | undefined {
  if (!entity.startsWith('#')) return namedCharacters[entity];
  const point = /^#x/i.test(entity) ? Number.parseInt(entity.slice(2), 16) : Number(entity.slice(1));
  return point <= 0x10ffff ? String.fromCodePoint(point) : undefined;
}
