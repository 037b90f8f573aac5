/** Tells hook servers what has been made of streams: recordings and HLS segments. */
import { type Config, type HooksConfig, splitStreamId } from '@srs/config';
import type { Lease } from '@srs/control';
import type { RecordedFile } from '@srs/dvr';
import type { SegmentEvent } from '@srs/hls';
import {
  type FetchedEvent,
  forwardBody,
  type HookCaller,
  type OutputEvent,
  type OutputFacts,
  recordingBody,
  segmentBody,
  segmentNotifyUrl,
} from '@srs/hooks';
import type { Log } from '@srs/kernel';
import type { OutputStream } from '@srs/stream';
import { newHookCaller } from './http-hooks.ts';
import { serverIdOf } from './server-id.ts';

/** For a vhost that has just gone. */
const FORWARD_TIMEOUT_MS = 1_000;

export class OutputHooks {
  readonly #config: () => Config;
  readonly #log: Log;
  /** Made when the first URL is called. */
  #caller: HookCaller | undefined;

  /** @param config asked at each event, so that a reload counts */
  constructor(config: () => Config, log: Log) {
    this.#config = config;
    this.#log = log;
  }

  onRecorded({ stream, path }: RecordedFile): void {
    const hooks = this.#hooksOf(stream);
    if (hooks === undefined || hooks.onDvr.length === 0) return;
    this.#tell('on_dvr', hooks, hooks.onDvr, stream, recordingBody({ ...this.#factsOf(stream), file: path }));
  }

  onSegment(segment: SegmentEvent): void {
    const { stream, durationMs, file, url, m3u8, m3u8Url, sequence } = segment;
    const hooks = this.#hooksOf(stream);
    if (hooks === undefined || (hooks.onHls.length === 0 && hooks.onHlsNotify.length === 0)) return;
    const facts = {
      ...this.#factsOf(stream),
      durationSeconds: durationMs / 1000,
      file,
      url,
      m3u8,
      m3u8Url,
      sequence,
    };
    if (hooks.onHls.length > 0) this.#tell('on_hls', hooks, hooks.onHls, stream, segmentBody(facts));
    const fetched = hooks.onHlsNotify.map((each) => segmentNotifyUrl(each, facts));
    if (fetched.length > 0) this.#tell('on_hls_notify', hooks, fetched, stream, '', stream.vhost.hls.nbNotify);
  }

  /**
   * What the backend wants a published stream pushed to.
   * @throws HookFailure when it gives no valid answer in time
   */
  askForward(url: string, { streamId, publisher: { cid, ip }, param, tcUrl }: Lease): Promise<readonly string[]> {
    const { vhost, app, stream } = splitStreamId(streamId);
    const timeoutMs = this.#config().vhosts.get(vhost)?.hooks.timeoutMs ?? FORWARD_TIMEOUT_MS;
    const facts = { clientId: cid, ip, vhost, app, stream, param, tcUrl, serverId: serverIdOf(this.#config()) };
    this.#caller ??= newHookCaller(this.#log);
    return this.#caller.askForUrls({ urls: [url], body: forwardBody(facts), timeoutMs, clientId: cid, ip, log: this.#log });
  }

  /** Waits for what is under way, `graceMs` at most. */
  async close(graceMs: number): Promise<void> {
    await this.#caller?.close(graceMs);
  }

  #tell(
    event: OutputEvent | FetchedEvent,
    { timeoutMs, retries }: HooksConfig,
    urls: readonly string[],
    { publisher: { cid, ip }, log }: OutputStream,
    body: string,
    enoughBytes?: number,
  ): void {
    this.#caller ??= newHookCaller(this.#log);
    const fetched = enoughBytes === undefined ? {} : { enoughBytes };
    void this.#caller.tell({ event, urls, body, timeoutMs, retries, clientId: cid, ip, log, ...fetched });
  }

  #hooksOf({ vhost }: OutputStream): HooksConfig | undefined {
    const { hooks } = this.#config().vhosts.get(vhost.name) ?? vhost;
    return hooks.enabled ? hooks : undefined;
  }

  #factsOf({ vhost, app, name, publisher, param }: OutputStream): OutputFacts {
    return {
      clientId: publisher.cid,
      ip: publisher.ip,
      vhost: vhost.name,
      app,
      stream: name,
      param,
      cwd: process.cwd(),
      serverId: serverIdOf(this.#config()),
    };
  }
}
