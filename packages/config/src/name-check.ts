/** The rules for names that come from clients and end up in paths, URLs, command lines and logs. */

/** UTF-8 bytes of an app or stream name. */
export const maxNameBytes = 512;
/** UTF-8 bytes between two slashes of a name; leaves room for what outputs append (`-123.ts.tmp`) in a file name of 255. */
export const maxNameSegmentBytes = 200;

// Control, format (bidirectional overrides, zero-width signs), surrogate and private characters, line and paragraph separators.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

/** Whether `text` has a character that would hide or distort what a log line or page shows. */
export function hasUnprintable(text: string): boolean {
  return unprintable.test(text);
}

/** Without blanks, and without slashes at its ends or next to each other. */
export function normalizeName(name: string): string {
  return name
    .replaceAll(' ', '')
    .replace(/\/{2,}/g, '/')
    .replace(/^\/|\/$/g, '');
}

/**
 * Why a normalized app or stream name cannot be used; undefined when it can. It must be safe as it stands, percent-decoded, and
 * after Unicode has folded its look-alikes of `/`, `\` and `.`.
 */
export function findNameFault(name: string): string | undefined {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0) return 'is empty';
  if (bytes > maxNameBytes) return `has ${bytes} bytes, must have at most ${maxNameBytes}`;
  for (const form of [name, percentDecode(name), name.normalize('NFKC')]) {
    if (hasUnprintable(form)) return 'has a control or invisible character';
    if (form.includes('\\')) return 'has a backslash';
    for (const segment of form.split('/')) {
      const fault = findSegmentFault(segment);
      if (fault !== undefined) return fault;
    }
  }
  return undefined;
}

function findSegmentFault(segment: string): string | undefined {
  if (segment === '') return 'has an empty part between slashes';
  // Hidden files, `.` and `..`, and what a command line would take for an option.
  if (segment.startsWith('.')) return 'has a part that begins with a dot';
  if (segment.startsWith('-')) return 'has a part that begins with a dash';
  const bytes = Buffer.byteLength(segment);
  if (bytes > maxNameSegmentBytes) return `has a part of ${bytes} bytes, must have at most ${maxNameSegmentBytes}`;
  return undefined;
}

/** Decodes what is valid and keeps the rest; one step, as an HTTP server would do it. */
function percentDecode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/%([0-7][0-9a-fA-F])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

// The name `vhost` where a parameter can begin, then one of the signs that stand for `=`.
const vhostParam = /(?:^|[?&,]|\.\.\.)vhost(?:=|\.\.\.|[?,]|&&)([^?&,=]*)/;

/**
 * The value of the parameter `vhost` in the text after the first separator of an app or stream name: `vhost=b&key=a`,
 * `key=a,vhost=b`, `vhost...b`. Undefined when there is none or it is empty.
 */
export function findVhostParam(params: string): string | undefined {
  const value = vhostParam.exec(params)?.[1]?.split('...')[0];
  return value === undefined || value === '' ? undefined : value;
}

/** Host and vhost names lose slashes and white space, as SRS does it. */
export function normalizeHost(host: string): string {
  return host.replace(/[/ \r\n\t]/g, '');
}

/** Longest DNS name. */
const maxHostBytes = 253;

/** Why a normalized host or vhost name cannot be used; undefined when it can. */
export function findHostFault(host: string): string | undefined {
  const bytes = Buffer.byteLength(host);
  if (bytes === 0) return 'is empty';
  if (bytes > maxHostBytes) return `has ${bytes} bytes, must have at most ${maxHostBytes}`;
  if (hasUnprintable(host)) return 'has a control or invisible character';
  return undefined;
}
