/** Publishers that post their streams over HTTP: who asks is let in or told why not, before any of the body is read. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AddressPlace } from '@srs/access';
import { admitHttpClient, ClientRegistry, PithyPrint, plainAddress, revocationText, startPublishing } from '@srs/clients';
import type { Config } from '@srs/config';
import type { RevokeReason } from '@srs/control';
import { describeError, type Log, SrsError } from '@srs/kernel';
import { CasterClient } from './caster-client.ts';
import { CasterRefusal, refusalOf } from './caster-refusal.ts';
import type { CasterServices } from './caster-services.ts';
import { type CasterTarget, findCaster, hostOf, targetOf } from './caster-target.ts';
import { refuse } from './last-words.ts';

/** Who asks. */
interface Applicant {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly cid: number;
  readonly ip: string;
  readonly place: AddressPlace;
  readonly log: Log;
}

export class CasterServer {
  readonly registry: ClientRegistry<CasterClient>;
  readonly #services: CasterServices;
  readonly #publishers: PithyPrint;
  /** Those that have had their request. */
  readonly #served = new WeakSet<Socket>();

  /** The listener has counted the connections that it gives to `serve`. */
  constructor(services: CasterServices) {
    this.#services = services;
    this.registry = new ClientRegistry({
      ...services,
      maxConnections: () => services.config().maxConnections,
      claimConnection: () => true,
      releaseConnection: () => {},
    });
    this.#publishers = new PithyPrint(() => services.config().pithyPrint.publishMs);
  }

  /** Answers one request; never throws. Who asks for `100 Continue` has not been told it yet. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    // What follows on the same connection is not listened to.
    if (this.#served.has(socket)) return;
    this.#served.add(socket);
    const ip = plainAddress(socket.remoteAddress);
    const place = this.registry.admit(ip);
    if (place === undefined) {
      refuse(request, new CasterRefusal(429, `address ${ip} has as many connections as it may have`));
      return;
    }
    const cid = this.#services.nextCid();
    const log = this.#services.log.child(cid);
    this.#publish({ request, response, cid, ip, place, log }).then(
      (isPublishing) => {
        if (!isPublishing) this.registry.abandon(place);
      },
      (error: unknown) => {
        this.registry.abandon(place);
        const number = error instanceof SrsError ? `. ret=${error.code}` : '';
        log.error(`refused HTTP client ip=${ip}${number}: ${describeError(error)}`);
        refuse(request, refusalOf(error));
      },
    );
  }

  /** A reload: what runs goes on under the new configuration, which is in force already. */
  configure(config: Config): void {
    for (const client of this.registry.clients()) client.configure(config);
    this.#publishers.reschedule();
  }

  /** Tells those who are there, and waits for them to go: `graceMs` at most. */
  close(graceMs: number): Promise<void> {
    return this.registry.close(graceMs);
  }

  /**
   * @returns false when the client has left in the meantime, or has been told that it must
   * @throws CasterRefusal or SrsError when it may not publish; it holds nothing then
   */
  async #publish({ request, response, cid, ip, place, log }: Applicant): Promise<boolean> {
    const services = this.#services;
    const { headers } = request;
    const { url, streamName } = this.#find(request);
    const { vhost, app, param } = url;
    const admitted = admitHttpClient(services, {
      cid,
      ip,
      vhost,
      app,
      streamName,
      appParam: param,
      use: 'publish',
      host: headers.host ?? '',
      pageUrl: headers.referer ?? '',
      userAgent: headers['user-agent'] ?? '',
      place,
      log,
    });
    const { target, hooks } = admitted;
    const client = new CasterClient({
      ...admitted,
      request,
      response,
      source: { slot: services.slot, pid: services.pid },
      clock: services.clock,
      onClosed: (closed) => {
        this.#publishers.leave(closed);
        this.registry.onClosed(closed);
      },
    });
    const onRevoked = (reason: RevokeReason, detail: string): void => client.revoke(revocationText(reason, detail));
    const isOver = (): boolean => client.isOver;
    const publishing = await startPublishing({ services, target, hops: [], hooks, streamName, log, ip, onRevoked, isOver });
    if (publishing === undefined) return false;
    this.registry.add(client);
    this.#publishers.join(client);
    client.begin(publishing);
    // There may have been a reload while this publish was asked for.
    client.configure(services.config());
    return true;
  }

  /** @throws CasterRefusal or SrsError RtmpTcUrl */
  #find(request: IncomingMessage): CasterTarget {
    const { method, headers, socket, url = '' } = request;
    if (method !== 'POST') throw new CasterRefusal(405, `method ${method} must be POST`, { headers: { Allow: 'POST' } });
    refuseForeignPages(request);
    const caster = findCaster(this.#services.config(), plainAddress(socket.localAddress), socket.localPort ?? 0);
    if (caster === undefined) throw new CasterRefusal(503, 'no stream_caster is configured here any more');
    return targetOf(caster.output, hostOf(headers.host), url);
  }
}

/** A page of another site must not make its visitors' browsers publish here; an encoder is no page and names none. */
function refuseForeignPages({ headers }: IncomingMessage): void {
  const { origin, host } = headers;
  if (origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)) return;
  throw new CasterRefusal(403, `a page of origin ${JSON.stringify(origin)} may not publish here`);
}
