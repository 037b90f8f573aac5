/** The addresses that each role accepts clients on. */
import type { Config, ListenAddress } from '@srs/config';
import type { WorkerRole } from '@srs/control';
import type { ListenerService } from '@srs/worker';

export interface ServiceAddress extends ListenAddress {
  readonly service: ListenerService;
}

export function listenAddresses(config: Config, role: WorkerRole): readonly ServiceAddress[] {
  const { listen, rtmps, httpApi, httpStream, exporter, streamCasters } = config;
  switch (role) {
    case 'back-source':
      return [];
    case 'stream':
      return [
        ...listen.map((address) => ({ ...address, service: 'rtmp' as const })),
        ...(rtmps.enabled ? [{ ...rtmps.listen, service: 'rtmps' as const }] : []),
      ];
    case 'http':
      return [
        ...(httpApi.enabled ? [{ ...httpApi.listen, service: 'http-api' as const }] : []),
        ...(httpApi.enabled && httpApi.https.enabled ? [{ ...httpApi.https.listen, service: 'https-api' as const }] : []),
        ...(httpStream.enabled ? [{ ...httpStream.listen, service: 'http-stream' as const }] : []),
        ...(httpStream.enabled && httpStream.https.enabled
          ? [{ ...httpStream.https.listen, service: 'https-stream' as const }]
          : []),
        ...(exporter.enabled ? [{ ...exporter.listen, service: 'exporter' as const }] : []),
        ...streamCasters.flatMap((caster) =>
          caster.enabled && caster.caster === 'flv' ? [{ ...caster.listen, service: 'stream-caster' as const }] : [],
        ),
      ];
  }
}
