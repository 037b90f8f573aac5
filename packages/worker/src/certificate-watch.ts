/** Notices that a certificate was renewed: whoever renews it puts the new one under the old name and tells nobody. */
import { statSync } from 'node:fs';
import type { TlsMaterial } from '@srs/clients';
import { describeError, type Log } from '@srs/kernel';
import { loadTlsMaterial, type TlsFiles } from './tls-material.ts';

export interface CertificateWatchOptions {
  /** The block of the configuration, for messages. */
  readonly where: string;
  /** In force, asked for at each look; undefined while there is no TLS. */
  files(): TlsFiles | undefined;
  onRenewed(material: TlsMaterial): void;
  readonly log: Log;
  /** For tests. */
  readonly everyMs?: number;
}

const LOOK_EVERY_MS = 30_000;

/** Looks from the constructor on, until `close`. Keeps no process alive. */
export class CertificateWatch {
  readonly #options: CertificateWatchOptions;
  readonly #timer: NodeJS.Timeout;
  /** What the files looked like when they were read last. */
  #seen = '';

  constructor(options: CertificateWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), options.everyMs ?? LOOK_EVERY_MS).unref();
  }

  /** @throws SrsError that names the directive and the file */
  load(files: TlsFiles): TlsMaterial {
    const { where, log } = this.#options;
    this.#seen = lookOf(files);
    return loadTlsMaterial(where, files, (text) => log.warn(text));
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { log, where } = this.#options;
    const current = this.#options.files();
    if (current === undefined || lookOf(current) === this.#seen) return;
    try {
      this.#options.onRenewed(this.load(current));
      log.trace(`${where} / cert ${current.cert} was renewed`);
    } catch (error) {
      // One of the two files may be newer than the other for a moment; the certificate that is in use stays.
      log.warn(`the renewed certificate cannot be used: ${describeError(error)}`);
    }
  }
}

function lookOf({ key, cert }: TlsFiles): string {
  return [key, cert]
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return stat === undefined ? 'none' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
    })
    .join(', ');
}
