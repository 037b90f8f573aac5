import { expect, it } from 'vitest';
import { loadTlsMaterial } from './tls-material.ts';
import { certificate, expired, Files } from './tls-test-support.ts';

it('a key and its certificate are read', () => {
  using files = new Files();
  const paths = { key: files.write('key.pem', certificate.key), cert: files.write('cert.pem', certificate.cert) };
  expect(loadTlsMaterial('http_api / https', paths)).toEqual({ key: certificate.key, cert: certificate.cert });
});

it.each([
  ['key that is not there', { key: undefined, cert: certificate.cert }, /^https \/ key .*key\.pem cannot be read$/],
  ['certificate that is not there', { key: certificate.key, cert: undefined }, /^https \/ cert .*cert\.pem cannot be read$/],
  ['certificate that is none', { key: certificate.key, cert: 'hello' }, /cert\.pem must be a certificate in PEM form$/],
  [
    'key that is none',
    { key: 'hello', cert: certificate.cert },
    /key\.pem must be a private key in PEM form, without a password$/,
  ],
  ['key of another certificate', { key: expired.key, cert: certificate.cert }, /must belong together$/],
  ['certificate that has expired', expired, /cert\.pem has expired on 2021-01-01T00:00:00\.000Z$/],
])('a %s is named', (_, { key, cert }, message) => {
  using files = new Files();
  if (key !== undefined) files.write('key.pem', key);
  if (cert !== undefined) files.write('cert.pem', cert);
  expect(() => loadTlsMaterial('https', { key: files.path('key.pem'), cert: files.path('cert.pem') })).toThrow(message);
});
