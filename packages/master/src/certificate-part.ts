/** Refuses a reload whose certificate cannot be used, before anything changes; the workers that use it read it for themselves. */
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
function checkCertificates({ httpApi, httpStream, rtmps }: Config, log: Log): void {
  const warn = (text: string): void => log.warn(text);
  if (httpApi.enabled && httpApi.https.enabled) loadTlsMaterial('http_api / https', httpApi.https, warn);
  if (rtmps.enabled) loadTlsMaterial('rtmps', rtmps, warn);
  if (httpStream.enabled && httpStream.https.enabled) loadTlsMaterial('http_stream / https', httpStream.https, warn);
}
