import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TestMedia } from './media-test-support.ts';

const SECRET = 'the secret';

/** A root with a file beside it that nobody may get, and ways that lead to it. */
async function besieged(): Promise<TestMedia> {
  const media = await TestMedia.start({ vhosts: 'vhost __defaultVhost__ { http { enabled on; mount /hls; dir DIR/www/hls; } }' });
  const at = (path: string): string => join(media.directory, path);
  media.write('secret', SECRET);
  media.write('www2/secret', SECRET);
  media.write('outside/index.html', SECRET);
  media.write('www/public.txt', 'public');
  media.write('www/hls/a.ts', 'segment');
  media.write('www/sub/.htpasswd', SECRET);
  media.write('www/.git/config', SECRET);
  media.write('www/sub/-rf', 'dash');
  media.write('www/hls/a.ts.tmp', SECRET);
  media.write('www/hls/a.m3u8.temp', SECRET);
  symlinkSync('../secret', at('www/link'));
  symlinkSync('../outside', at('www/linked'));
  symlinkSync(at('outside/index.html'), at('www/absolute.html'));
  symlinkSync('link', at('www/link-to-link'));
  // A directory whose name begins like the root's.
  symlinkSync('../www2', at('www/neighbour'));
  // Out of the mount, though in the root.
  symlinkSync('../sub/-rf', at('www/hls/out-of-mount'));
  symlinkSync('/proc/self/environ', at('www/environ'));
  symlinkSync('/dev/zero', at('www/zero'));
  symlinkSync('circle', at('www/circle'));
  symlinkSync('hls/a.ts', at('www/inside.ts'));
  mkdirSync(at('www/index-is-link'));
  symlinkSync('../../secret', at('www/index-is-link/index.html'));
  return media;
}

describe('paths that lead nowhere', () => {
  const long = 'a'.repeat(4096);
  const rows: readonly (readonly [path: string, status: number])[] = [
    ['/../secret', 400],
    ['/sub/../../secret', 400],
    ['/%2e%2e/secret', 400],
    ['/%2E%2E%2Fsecret', 400],
    ['/..%2fsecret', 400],
    ['/hls/..%2f..%2fsecret', 400],
    ['/hls/../public.txt', 400],
    ['/%252e%252e/secret', 404],
    ['/..%255csecret', 404],
    ['/..\\secret', 400],
    ['/..%5csecret', 400],
    ['/....//secret', 404],
    ['/..;/secret', 404],
    ['/%c0%ae%c0%ae/secret', 400],
    ['/%uff0e%uff0e/secret', 400],
    ['/%ef%bc%8e%ef%bc%8e/secret', 404],
    ['/public.txt%00.ts', 400],
    ['/public.txt%0d%0aX: y', 404],
    ['/a%0d%0aX-Evil:%20y', 404],
    ['/%', 400],
    ['/%2', 400],
    ['/%ff', 400],
    ['/./public.txt', 404],
    ['/public.txt/', 404],
    ['/public.txt/x', 404],
    [`/${long}`, 404],
    [`/${'a/'.repeat(3000)}`, 404],
    [`/${'%2e%2e%2f'.repeat(500)}etc/passwd`, 400],
    ['//etc/passwd', 404],
    ['///etc/passwd', 404],
    ['/etc/passwd', 404],
    ['http://127.0.0.1/../secret', 400],
    ['http://127.0.0.1/%2e%2e/secret', 400],
    ['/link', 404],
    ['/link-to-link', 404],
    ['/linked', 404],
    ['/linked/', 404],
    ['/linked/index.html', 404],
    ['/linked/nothing', 404],
    ['/absolute.html', 404],
    ['/neighbour/secret', 404],
    ['/hls/out-of-mount', 404],
    ['/index-is-link/', 404],
    ['/environ', 404],
    ['/zero', 404],
    ['/circle', 404],
    ['/.git/config', 404],
    ['/%2egit/config', 404],
    ['/sub/.htpasswd', 404],
    ['/hls/a.ts.tmp', 404],
    ['/hls/a.m3u8.temp', 404],
    ['/sub/', 404],
    ['/__proto__', 404],
    ['/constructor', 404],
    ['/~root', 404],
    ['/C:/secret', 404],
  ];
  const cases = rows.map(([path, status]) => ({ name: path.slice(0, 60), path, status }));
  it.each(cases)('$name is answered with $status', async ({ path, status }) => {
    await using media = await besieged();
    const answer = await media.talk(`GET ${path.replaceAll(' ', '%20')} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toContain(SECRET);
    expect(answer.toLowerCase()).not.toContain('\r\nx-evil');
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ code: 3011, data: { status_code: status } });
    expect(media.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('what looks odd and is there is served', async () => {
    await using media = await besieged();
    expect((await media.ask('/sub/-rf')).bytes.toString()).toBe('dash');
    expect((await media.ask('/inside.ts')).bytes.toString()).toBe('segment');
    expect((await media.ask('/hls%2fa.ts')).bytes.toString()).toBe('segment');
    expect((await media.ask('//hls///a.ts')).bytes.toString()).toBe('segment');
  });

  it('names in the answer and the log are escaped', async () => {
    await using media = await besieged();
    const answer = await media.ask('/%3Cscript%3E%0a');
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json;charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    expect(answer.body).toMatchObject({ data: { url: '/%3Cscript%3E%0a' } });
    symlinkSync('/etc/passwd', join(media.directory, 'www/new\nline'));
    expect((await media.ask('/new%0aline')).status).toBe(404);
    for (const { text } of media.log.lines) expect(text).not.toContain('\n');
  });
});

describe('things that are no files', () => {
  it('a FIFO, a socket and a file without permission are refused at once', async () => {
    await using media = await besieged();
    execFileSync('mkfifo', [join(media.directory, 'www/fifo')]);
    const server = createServer().listen(join(media.directory, 'www/socket'));
    chmodSync(media.write('www/locked', 'x'), 0);
    const statuses = await Promise.all(['/fifo', '/socket', '/locked'].map(async (path) => (await media.ask(path)).status));
    server.close();
    // Root may read everything.
    expect(statuses).toEqual([404, 404, process.getuid?.() === 0 ? 200 : 403]);
    // No thread of the pool hangs in one of them.
    expect((await media.ask('/public.txt')).status).toBe(200);
  });
});

describe('links that change while they are asked for', () => {
  it('never give the secret', async () => {
    await using media = await besieged();
    const link = join(media.directory, 'www/changing');
    let isChanging = true;
    let target = '../secret';
    const change = (): void => {
      if (!isChanging) return;
      target = target === '../secret' ? 'public.txt' : '../secret';
      symlinkSync(target, `${link}.new`);
      renameSync(`${link}.new`, link);
      setImmediate(change);
    };
    onTestFinished(() => {
      isChanging = false;
    });
    change();
    const seen = new Set<string>();
    for (let count = 0; count < 300 || seen.size < 2; count += 1) {
      const { status, bytes } = await media.ask('/changing');
      seen.add(status === 200 ? bytes.toString() : String(status));
    }
    isChanging = false;
    expect(seen).toEqual(new Set(['public', '404']));
  });

  it('a root that is a link may be switched', async () => {
    await using media = await TestMedia.start({
      httpStream: 'crossdomain off;',
      vhosts: 'vhost v { http { enabled on; mount /; dir DIR/current; } }',
    });
    media.write('one/a', 'one');
    media.write('two/a', 'two');
    const current = join(media.directory, 'current');
    symlinkSync('one', current);
    expect((await media.ask('/a')).bytes.toString()).toBe('one');
    unlinkSync(current);
    symlinkSync('two', current);
    expect((await media.ask('/a')).bytes.toString()).toBe('two');
    unlinkSync(current);
    expect((await media.ask('/a')).status).toBe(404);
  });
});

describe('a redirect', () => {
  it.each([
    ['/sub', '', './sub/'],
    ['/sub?a=b&c', '', './sub/?a=b&c'],
    ['//sub', 'Host: evil.com', './sub/'],
    ['/sub', 'Host: evil.com', './sub/'],
    ['http://evil.com/sub', '', './sub/'],
    ['/sub/deep', '', './deep/'],
    ['/a%3Ab', '', './a%3Ab/'],
    ['/%0d%0aSet-Cookie', '', './%0D%0ASet-Cookie/'],
    ['/hls', '', './hls/'],
  ])('of %s (%s) leads to %s', async (path, header, location) => {
    await using media = await besieged();
    for (const name of ['sub/deep', 'a:b', '\r\nSet-Cookie']) mkdirSync(join(media.directory, 'www', name));
    const host = header === '' ? 'Host: a' : header;
    const answer = await media.talk(`GET ${path} HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 301 /);
    expect(/\r\nlocation: (.*)\r\n/i.exec(answer)?.[1]).toBe(location);
  });
});

it('a bomb of ranges is answered once, with the whole or not at all', async () => {
  await using media = await besieged();
  const ask = (ranges: string): Promise<string> =>
    media.talk(`GET /public.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=${ranges}\r\nConnection: close\r\n\r\n`);
  expect(await ask(`${'0-0,'.repeat(3000)}0-0`)).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\npublic$/s);
  expect(await ask(`${'0-0,'.repeat(10_000)}0-0`)).toMatch(/^HTTP\/1\.1 431 /);
});
