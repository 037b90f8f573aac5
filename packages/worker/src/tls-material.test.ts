import { expect, it } from 'vitest';
import { certificate, expired, Files } from '../../../test/support/certificates.ts';
import { loadTlsMaterial } from './tls-material.ts';

const fail = (text: string): never => {
  throw new Error(`warned: ${text}`);
};

it('a key and its certificate are read', () => {
  using files = new Files();
  const paths = { key: files.write('key.pem', certificate.key), cert: files.write('cert.pem', certificate.cert) };
  expect(loadTlsMaterial('http_api / https', paths, fail)).toEqual({ key: certificate.key, cert: certificate.cert });
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
])('a %s is named', (_, { key, cert }, message) => {
  using files = new Files();
  if (key !== undefined) files.write('key.pem', key);
  if (cert !== undefined) files.write('cert.pem', cert);
  expect(() => loadTlsMaterial('https', { key: files.path('key.pem'), cert: files.path('cert.pem') }, fail)).toThrow(message);
});

it('a certificate that has expired is warned of', () => {
  using files = new Files();
  const paths = { key: files.write('key.pem', expired.key), cert: files.write('cert.pem', expired.cert) };
  const warnings: string[] = [];
  expect(loadTlsMaterial('https', paths, (text) => warnings.push(text))).toEqual(expired);
  expect(warnings).toEqual([`https / cert ${paths.cert} has expired on 2021-01-01T00:00:00.000Z`]);
});
