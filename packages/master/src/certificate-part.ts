/** Refuses a reload whose certificate cannot be used, before anything changes; the workers for HTTP read it for themselves. */
import type { Config } from '@srs/config';
import type { Log } from '@srs/kernel';
import { loadTlsMaterial } from '@srs/worker';
import type { ReloadPart } from './reload.ts';

export function certificatePart(log: Log): ReloadPart {
  return {
    prepare: (_previous, next) => {
      checkCertificates(next, log);
      return { undo: () => {}, apply: () => undefined };
    },
  };
}

/** @throws SrsError that names the directive and the file */
function checkCertificates({ httpApi }: Config, log: Log): void {
  if (httpApi.enabled && httpApi.https.enabled) loadTlsMaterial('http_api / https', httpApi.https, (text) => log.warn(text));
}
