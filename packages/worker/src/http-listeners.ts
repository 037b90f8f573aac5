/** The HTTP sockets of a worker: which front serves which, and with which certificate. */
import { Server } from 'node:net';
import type { Config } from '@srs/config';
import type { HttpFront, HttpFrontOptions } from '@srs/http-server';
import { describeError, SrsError } from '@srs/kernel';
import { closeListener, descriptorOf, duplicateFd } from '@srs/native';
import { CertificateWatch } from './certificate-watch.ts';
import { type Listener, type ListenerService, listenerName, type WorkerEnvironment } from './environment.ts';
import type { RoleChange } from './role.ts';
import type { TlsFiles } from './tls-material.ts';

/** The files of a TLS service; undefined while it is off. */
type FilesOf = (config: Config) => TlsFiles | undefined;

interface TlsService {
  readonly front: HttpFront;
  readonly filesOf: FilesOf;
  readonly certificates: CertificateWatch;
}

export type HttpFronts = Readonly<Record<'api' | 'exporter' | 'media' | 'caster', HttpFront>>;

export class HttpListeners {
  readonly #environment: WorkerEnvironment;
  readonly #fronts: HttpFronts;
  readonly #tls: Partial<Record<ListenerService, TlsService>>;

  constructor(environment: WorkerEnvironment, fronts: HttpFronts) {
    this.#environment = environment;
    this.#fronts = fronts;
    this.#tls = {
      'https-api': this.#tlsService(fronts.api, 'http_api / https', ({ httpApi }) =>
        httpApi.enabled && httpApi.https.enabled ? httpApi.https : undefined,
      ),
      'https-stream': this.#tlsService(fronts.media, 'http_stream / https', ({ httpStream }) =>
        httpStream.enabled && httpStream.https.enabled ? httpStream.https : undefined,
      ),
    };
  }

  /** @throws SrsError SocketListen, or what names a directive and its file */
  async listen(listener: Listener): Promise<void> {
    const tls = this.#tls[listener.service];
    const files = tls?.filesOf(this.#environment.config);
    const material = files === undefined ? undefined : tls?.certificates.load(files);
    await this.#frontOf(listener.service).listen(listenerName(listener), listener, material);
  }

  /** A reload. @throws SrsError what could not be done; all the rest has been done */
  async configure({ opened, closed, config }: RoleChange): Promise<void> {
    for (const listener of closed) this.#frontOf(listener.service).unlisten(listenerName(listener));
    const results = await Promise.allSettled([
      ...opened.map((listener) => this.listen(listener)),
      ...Object.values(this.#tls).map(async ({ front, filesOf, certificates }) => {
        const files = filesOf(config);
        if (files !== undefined) front.useTls(certificates.load(files));
      }),
    ]);
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [describeError(result.reason)] : []));
    if (failures.length > 0) throw new SrsError('SocketListen', failures.join('; '));
  }

  /** Stops looking for renewed certificates. */
  close(): void {
    for (const { certificates } of Object.values(this.#tls)) certificates.close();
  }

  #frontOf(service: ListenerService): HttpFront {
    switch (service) {
      case 'exporter':
        return this.#fronts.exporter;
      case 'stream-caster':
        return this.#fronts.caster;
      case 'http-stream':
      case 'https-stream':
        return this.#fronts.media;
      default:
        return this.#fronts.api;
    }
  }

  #tlsService(front: HttpFront, where: string, filesOf: FilesOf): TlsService {
    const { log } = this.#environment;
    const files = () => filesOf(this.#environment.config);
    const certificates = new CertificateWatch({ where, files, onRenewed: (material) => front.useTls(material), log });
    return { front, filesOf, certificates };
  }
}

export function frontOptions(environment: WorkerEnvironment): Omit<HttpFrontOptions, 'serve'> {
  const { log, status } = environment;
  return {
    log,
    claimConnection: () => status.claimConnection(environment.config.maxConnections),
    releaseConnection: () => status.releaseConnection(),
    closeListener: closeServer,
  };
}

/** Those whom the kernel has let in before the end are not turned away. */
function closeServer(server: Server): readonly number[] {
  const fd = duplicateFd(descriptorOf(server));
  // That of HTTP would close connections as well.
  Server.prototype.close.call(server);
  return fd < 0 ? [] : closeListener(fd);
}
