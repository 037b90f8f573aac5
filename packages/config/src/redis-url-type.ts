/** The address of a Redis or Valkey server, with all that is needed to come in there. */
import { hiddenValue, isPrintable, type ValueType } from './value-type.ts';

const allowed = 'redis://[[user]:password@]host[:port][/database], or the same with rediss for TLS';
const MAX_LENGTH = 1024;

export const redisUrl: ValueType<string> = {
  allowed,
  takesMany: false,
  absent: '',
  isSecret: true,
  publicPart: withoutPassword,
  read([text = ''], context) {
    if (isRedisUrl(text)) return text;
    context.refuse(hiddenValue, allowed);
    return undefined;
  },
};

/** What is no such URL may be a password altogether. */
function withoutPassword(text: string): string {
  if (!isRedisUrl(text)) return hiddenValue;
  const url = new URL(text);
  if (url.password !== '') url.password = hiddenValue;
  return url.href;
}

function isRedisUrl(text: string): boolean {
  if (text.length > MAX_LENGTH || !isPrintable(text) || !/^rediss?:\/\//.test(text) || !URL.canParse(text)) return false;
  const { hostname, port, pathname, search, hash, username, password } = new URL(text);
  const isDatabase = /^(?:\/\d{0,5})?$/.test(pathname);
  return (
    hostname !== '' &&
    port !== '0' &&
    isDatabase &&
    search === '' &&
    hash === '' &&
    isDecodable(username) &&
    isDecodable(password)
  );
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
