import { SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { loadConfig } from './load.ts';
import { parseStreamName, streamId } from './stream-name.ts';
import { parseTcUrl } from './tc-url.ts';
import { resolveVhost } from './vhost-resolution.ts';

describe('tcUrl', () => {
  const cases: readonly (readonly [tcUrl: string, vhost: string, app: string, host: string, port: number, param: string])[] = [
    ['rtmp://demo.srs.com/live', 'demo.srs.com', 'live', 'demo.srs.com', 1935, ''],
    ['rtmp://1.2.3.4/live?vhost=demo.srs.com', 'demo.srs.com', 'live', '1.2.3.4', 1935, '?vhost=demo.srs.com'],
    ['rtmp://1.2.3.4/live...vhost...demo.srs.com', 'demo.srs.com', 'live', '1.2.3.4', 1935, ''],
    ['rtmp://1.2.3.4/live?key=a,vhost=b', 'b', 'live', '1.2.3.4', 1935, '?key=a,vhost=b'],
    ['rtmp://1.2.3.4/live?key=a&vhost=b', 'b', 'live', '1.2.3.4', 1935, '?key=a&vhost=b'],
    ['rtmp://1.2.3.4/live?vhost=b&key=a', 'b', 'live', '1.2.3.4', 1935, '?vhost=b&key=a'],
    ['rtmp://h/a/b', 'h', 'a/b', 'h', 1935, ''],
    ['rtmp://h:19350/live', 'h', 'live', 'h', 19350, ''],
    ['rtmp://[::1]:19350/live', '::1', 'live', '::1', 19350, ''],
    ['RTMP://h/live/', 'h', 'live', 'h', 1935, ''],
    ['rtmp://h//live', 'h', 'live', 'h', 1935, ''],
    ['rtmp://h/a//b/', 'h', 'a/b', 'h', 1935, ''],
    ['rtmp://h/li ve', 'h', 'live', 'h', 1935, ''],
    ['rtmp://h\r\n/live', 'h', 'live', 'h', 1935, ''],
    ['rtmp://h/live?vhost=a/b', 'ab', 'live', 'h', 1935, '?vhost=a/b'],
    ['rtmp://h/live?vhost=', 'h', 'live', 'h', 1935, '?vhost='],
    ['rtmp://h/live?vhost=&key=a', 'h', 'live', 'h', 1935, '?vhost=&key=a'],
    ['rtmp://h/live?key=vhost&vhost=b', 'b', 'live', 'h', 1935, '?key=vhost&vhost=b'],
    ['rtmp://h/live?myvhost=x', 'h', 'live', 'h', 1935, '?myvhost=x'],
    ['rtmp://h/live?vhost=a?vhost=b', 'a', 'live', 'h', 1935, '?vhost=a?vhost=b'],
    ['rtmp://h/live,vhost,b', 'b', 'live', 'h', 1935, ''],
    ['rtmp://h/live&&vhost=b', 'b', 'live', 'h', 1935, ''],
    ['rtmp://h/live=vhost=b', 'b', 'live', 'h', 1935, ''],
    ['rtmp://h/live?vhost...b...key...a', 'b', 'live', 'h', 1935, '?vhost...b...key...a'],
    ['rtmp://h/live?token=a/../b', 'h', 'live', 'h', 1935, '?token=a/../b'],
    ['rtmp://h/live/_definst_', 'h', 'live/_definst_', 'h', 1935, ''],
    ['rtmp://h/直播', 'h', '直播', 'h', 1935, ''],
    ['rtmp://__proto__/live', '__proto__', 'live', '__proto__', 1935, ''],
  ];
  it.each(cases)('%j', (tcUrl, vhost, app, host, port, param) => {
    expect(parseTcUrl(tcUrl)).toEqual({ schema: 'rtmp', host, port, vhost, app, param });
  });

  const refused: readonly (readonly [tcUrl: string, reason: string])[] = [
    ['', 'must begin with a schema, such as rtmp://'],
    ['live', 'must begin with a schema, such as rtmp://'],
    ['://h/live', 'must begin with a schema, such as rtmp://'],
    ['rtmp:/h/live', 'must begin with a schema, such as rtmp://'],
    ['rtmp:///live', 'must name a host: it is empty'],
    ['rtmp://:1935/live', 'must name a host: it is empty'],
    ['rtmp://h:/live', 'must have a port of 1..65535'],
    ['rtmp://h:0/live', 'must have a port of 1..65535'],
    ['rtmp://h:65536/live', 'must have a port of 1..65535'],
    ['rtmp://h:1935x/live', 'must have a port of 1..65535'],
    ['rtmp://h', 'must name an app: it is empty'],
    ['rtmp://h/', 'must name an app: it is empty'],
    ['rtmp://h/?vhost=a', 'must name an app: it is empty'],
    ['rtmp://h/..', 'must name an app: it has a part that begins with a dot'],
    ['rtmp://h/a/../b', 'must name an app: it has a part that begins with a dot'],
    ['rtmp://h/-i', 'must name an app: it has a part that begins with a dash'],
    ['rtmp://h/a\nb', 'must name an app: it has a control or invisible character'],
    ['rtmp://h/live?vhost=a\0b', 'has a control or invisible character in its parameters'],
    ['rtmp://h/live?token=a\nb', 'has a control or invisible character in its parameters'],
    ['rtmp://h/live...vhost...a\0b', 'must name a vhost: it has a control or invisible character'],
    ['rtmp://h\x07/live', 'must name a host: it has a control or invisible character'],
    [`rtmp://${'h'.repeat(254)}/live`, 'must name a host: it has 254 bytes, must have at most 253'],
  ];
  it.each(refused)('%j is refused', (tcUrl, reason) => {
    const run = () => parseTcUrl(tcUrl);
    expect(run).toThrow(SrsError);
    expect(run).toThrow(reason);
    expect(run).toThrow(expect.objectContaining({ code: 2006 }));
  });

  it('has a bounded length', () => {
    expect(() => parseTcUrl(`rtmp://h/live?token=${'x'.repeat(8172)}`)).not.toThrow();
    expect(() => parseTcUrl(`rtmp://h/live?token=${'x'.repeat(8173)}`)).toThrow('tcUrl has 8193 bytes, must have at most 8192');
  });
});

describe('stream name', () => {
  const cases: readonly (readonly [name: string, value: ReturnType<typeof parseStreamName>])[] = [
    ['livestream', { stream: 'livestream', param: '' }],
    ['livestream?vhost=x', { stream: 'livestream', vhost: 'x', param: '?vhost=x' }],
    ['livestream?token=y', { stream: 'livestream', token: 'y', param: '?token=y' }],
    ['livestream?vhost=x&token=y%3D=z', { stream: 'livestream', vhost: 'x', token: 'y%3D=z', param: '?vhost=x&token=y%3D=z' }],
    ['livestream?a=b&token=', { stream: 'livestream', param: '?a=b&token=' }],
    ['/a/b/', { stream: 'a/b', param: '' }],
    ['mp4:sample.mp4', { stream: 'mp4:sample.mp4', param: '' }],
    ['my stream', { stream: 'mystream', param: '' }],
    ['100%', { stream: '100%', param: '' }],
    ['a.b-c_d', { stream: 'a.b-c_d', param: '' }],
    ['a?x=../../etc', { stream: 'a', param: '?x=../../etc' }],
    ['直播é', { stream: '直播é', param: '' }],
    ['__proto__', { stream: '__proto__', param: '' }],
  ];
  it.each(cases)('%j', (name, value) => {
    expect(parseStreamName(name)).toEqual(value);
  });

  const refused: readonly (readonly [name: string, reason: string])[] = [
    ['', 'is empty'],
    ['/', 'is empty'],
    ['?vhost=x', 'is empty'],
    ['.', 'begins with a dot'],
    ['..', 'begins with a dot'],
    ['../etc/passwd', 'begins with a dot'],
    ['a/../b', 'begins with a dot'],
    ['a/.hidden', 'begins with a dot'],
    ['%2e%2e/a', 'begins with a dot'],
    ['a/%2E%2E', 'begins with a dot'],
    ['a%2f..', 'begins with a dot'],
    ['%2e%2e%ff', 'begins with a dot'],
    ['a%00b', 'control or invisible'],
    ['a\0b', 'control or invisible'],
    ['a\nb', 'control or invisible'],
    ['a\u0085b', 'control or invisible'],
    ['a\u202eb', 'control or invisible'],
    ['a\u2028b', 'control or invisible'],
    ['a\u200bb', 'control or invisible'],
    ['a\ud800b', 'control or invisible'],
    ['a\\b', 'backslash'],
    ['a%5cb', 'backslash'],
    ['a＼b', 'backslash'],
    ['a／．．／b', 'begins with a dot'],
    ['‥', 'begins with a dot'],
    ['-rf', 'begins with a dash'],
    ['a/-rf', 'begins with a dash'],
    ['a?vhost=b\nc', 'control or invisible'],
    ['x'.repeat(201), 'has a part of 201 bytes, must have at most 200'],
    [`${'x'.repeat(199)}é`, 'has a part of 201 bytes, must have at most 200'],
    ['x/'.repeat(257), 'has 513 bytes, must have at most 512'],
    ['x'.repeat(8193), 'has 8193 bytes, must have at most 8192'],
  ];
  it.each(refused)('%j is refused', (name, reason) => {
    const run = () => parseStreamName(name);
    expect(run).toThrow(SrsError);
    expect(run).toThrow(reason);
    expect(run).toThrow(expect.objectContaining({ code: 2041 }));
  });
});

describe('vhost', () => {
  const { config } = loadConfig(
    'listen 1935; vhost __defaultVhost__ {} vhost a.com {} vhost off.com { enabled off; } vhost constructor { enabled off; }',
    { fileName: 'srs.conf' },
  );
  const nameOf = (name: string) => {
    const resolution = resolveVhost(config, name);
    return resolution.kind === 'found' ? resolution.vhost.name : resolution.kind;
  };

  it('is the one of that name, or else the default', () => {
    expect(nameOf('a.com')).toBe('a.com');
    expect(nameOf('b.com')).toBe('__defaultVhost__');
    expect(nameOf('__defaultVhost__')).toBe('__defaultVhost__');
    expect(nameOf('__proto__')).toBe('__defaultVhost__');
  });

  it('is found by its exact letters', () => {
    expect(nameOf('A.com')).toBe('__defaultVhost__');
  });

  it('that is disabled refuses and does not fall back', () => {
    expect(resolveVhost(config, 'off.com')).toMatchObject({ kind: 'disabled', reason: 'vhost off.com is disabled' });
  });

  it('is unknown without a default, and disabled with a disabled default', () => {
    const without = loadConfig('listen 1; vhost a {}', { fileName: 'x' }).config;
    expect(resolveVhost(without, 'b')).toEqual({
      kind: 'unknown',
      reason: 'vhost b is not configured, and there is no __defaultVhost__',
    });
    const disabled = loadConfig('listen 1; vhost __defaultVhost__ { enabled off; }', { fileName: 'x' }).config;
    expect(resolveVhost(disabled, 'b').kind).toBe('disabled');
  });

  it('app and stream make the identity of a stream', () => {
    expect(streamId('a.com', 'live', 'show')).toBe('a.com/live/show');
  });
});
