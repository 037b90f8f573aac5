/** Key and certificate of a TLS listener, read from files and tried before anybody depends on them. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TlsMaterial } from '@srs/clients';
import { SrsError } from '@srs/kernel';

export interface TlsFiles {
  readonly key: string;
  readonly cert: string;
}

/**
 * @param where the block of the configuration that names the files, for messages
 * @param warn told of a certificate that has expired: it is of little use, but no reason to serve nothing else
 * @throws SrsError FileRead or ConfigInvalid naming the directive, the file and what is wrong with it
 */
export function loadTlsMaterial(where: string, files: TlsFiles, warn: (text: string) => void): TlsMaterial {
  // Loaded by those alone that have a certificate: it takes as long as a good part of a start.
  const { createSecureContext } = process.getBuiltinModule('node:tls');
  const material = { key: readPem(`${where} / key`, files.key), cert: readPem(`${where} / cert`, files.cert) };
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(material.cert);
  } catch (cause) {
    throw new SrsError('ConfigInvalid', `${where} / cert ${files.cert} must be a certificate in PEM form`, { cause });
  }
  try {
    createSecureContext({ key: material.key });
  } catch (cause) {
    throw new SrsError('ConfigInvalid', `${where} / key ${files.key} must be a private key in PEM form, without a password`, {
      cause,
    });
  }
  try {
    createSecureContext(material);
  } catch (cause) {
    throw new SrsError('ConfigInvalid', `${where} / cert ${files.cert} and key ${files.key} must belong together`, { cause });
  }
  const validTo = certificate.validToDate;
  if (validTo.getTime() < Date.now()) warn(`${where} / cert ${files.cert} has expired on ${validTo.toISOString()}`);
  return material;
}

function readPem(directive: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SrsError('FileRead', `${directive} ${file} cannot be read`, { cause });
  }
}
