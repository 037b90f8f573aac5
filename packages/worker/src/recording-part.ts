/** What is done with recordings once they are finished: uploads, the end of old ones, and the repair of those that a server before has left behind. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Config, isSameConfig, type VhostConfig } from '@srs/config';
import type { RecordedFile, RecordingUploader, RepairedFile } from '@srs/dvr';
import { describeError, systemClock } from '@srs/kernel';
import type { WorkerEnvironment } from './environment.ts';
import { stateFile } from './state-file.ts';

/** Uploads that are under way when the server ends: what does not make it in this time begins anew with the next server. */
const UPLOAD_GRACE_MS = 1_000;

export class RecordingPart {
  readonly #environment: WorkerEnvironment;
  /** Vhosts whose streams were recorded because somebody asked for it. */
  readonly #askedVhosts: ReadonlySet<string>;
  #uploader: Promise<RecordingUploader> | undefined;
  /** Resolves when the uploader knows of everything that was recorded. */
  #given: Promise<unknown> = Promise.resolve();
  #stopKeeping: (() => Promise<void>) | undefined;

  /** @param askedVhosts as far as the process before has left word of them */
  constructor(environment: WorkerEnvironment, askedVhosts: ReadonlySet<string>) {
    this.#environment = environment;
    this.#askedVhosts = askedVhosts;
  }

  /** Begins when the first vhost records or uploads. */
  async configure(): Promise<void> {
    if (this.#vhosts().some(({ dvr }) => dvr.upload.enabled)) await this.#openUploader();
    void this.#uploader?.then((uploader) => uploader.configure());
    // Files belong to no stream any more, so one process sees to them.
    const isKept = this.#recorded().length > 0 || this.#askedVhosts.size > 0;
    if (this.#stopKeeping !== undefined || !isKept || this.#environment.backSource !== 0) return;
    const { log } = this.#environment;
    const { RecordingKeeper } = await import('@srs/dvr');
    const sections = () => this.#recorded().map(({ name, dvr }) => ({ vhost: name, dvr }));
    const waiting = () => this.#waiting();
    this.#stopKeeping = new RecordingKeeper({ clock: systemClock, log, sections, waiting }).start();
    this.#repair().catch((error: unknown) => log.error(`dvr: ${describeError(error)}`));
  }

  onRecorded({ path, stream: { vhost } }: RecordedFile): void {
    if (this.#vhost(vhost.name)?.dvr.upload.enabled === true) this.#give(path, vhost.name, vhost.dvr.path);
  }

  async close(graceMs: number): Promise<void> {
    await this.#given;
    const uploader = await this.#uploader;
    await Promise.all([this.#stopKeeping?.(), uploader?.close(Math.min(graceMs, UPLOAD_GRACE_MS))]);
  }

  #give(path: string, vhost: string, dvrPath: string): void {
    const given = this.#upload(path, vhost, dvrPath).catch((error: unknown) =>
      this.#environment.log.error(`dvr: ${path} is not uploaded: ${describeError(error)}`),
    );
    this.#given = Promise.all([this.#given, given]);
  }

  async #upload(path: string, vhost: string, dvrPath: string): Promise<void> {
    const [uploader, { uploadRoot }] = await Promise.all([this.#openUploader(), import('@srs/dvr')]);
    uploader.add({ path, vhost, root: uploadRoot(dvrPath) });
  }

  #openUploader(): Promise<RecordingUploader> {
    this.#uploader ??= this.#startUploader();
    return this.#uploader;
  }

  async #startUploader(): Promise<RecordingUploader> {
    const { log, backSource } = this.#environment;
    const [{ RecordingUploader, uploadSettings }, orphanedFiles] = await Promise.all([import('@srs/dvr'), this.#orphanedFiles()]);
    const uploader = new RecordingUploader({
      clock: systemClock,
      log,
      random: Math.random,
      settingsOf: (name) => {
        const vhost = this.#vhost(name);
        return vhost === undefined ? undefined : uploadSettings(vhost.dvr);
      },
      stateFile: journalOf(this.#environment.config, backSource),
      orphanedFiles,
    });
    await uploader.start();
    return uploader;
  }

  /** Journals of back-sources that this server does not have any more. */
  async #orphanedFiles(): Promise<readonly string[]> {
    const { config, backSource, arenas } = this.#environment;
    if (backSource !== 0) return [];
    const directory = dirname(journalOf(config, 0));
    const names: readonly string[] = await readdir(directory).catch(() => []);
    const numbers = names.map((name) => Number(/\.(\d+)\.jsonl$/.exec(name)?.[1] ?? 0));
    const gone = numbers.filter((number) => number >= arenas.length && names.includes(basename(journalOf(config, number))));
    return gone.map((number) => join(directory, basename(journalOf(config, number))));
  }

  /** Files that any back-source has to upload. */
  async #waiting(): Promise<ReadonlySet<string>> {
    const { config, arenas } = this.#environment;
    const { readWaiting } = await import('@srs/dvr');
    const uploader = await this.#uploader;
    const waiting = new Set(uploader?.waiting());
    for (let backSource = 1; backSource < arenas.length; backSource += 1) {
      for (const { path, vhost } of await readWaiting(journalOf(config, backSource))) {
        if (this.#vhost(vhost)?.dvr.upload.enabled === true) waiting.add(path);
      }
    }
    return waiting;
  }

  async #repair(): Promise<void> {
    const { log } = this.#environment;
    const { isRecordingOf, repairRecordings } = await import('@srs/dvr');
    const vhosts = this.#vhosts().filter(({ name, dvr }) => dvr.enabled || this.#askedVhosts.has(name));
    const paths = vhosts.map(({ dvr }) => dvr.path);
    for (const file of await repairRecordings(paths, { clock: systemClock, log })) {
      this.#giveRepaired(
        file,
        vhosts.filter(({ name, dvr }) => isRecordingOf(file.path, dvr.path, name)),
      );
    }
  }

  /** The path says whose it is, unless several vhosts record to the same place. */
  #giveRepaired({ path }: RepairedFile, owners: readonly VhostConfig[]): void {
    const [owner] = owners;
    if (owner === undefined || owners.every(({ dvr }) => !dvr.upload.enabled)) return;
    if (owners.every(({ dvr }) => isSameConfig(dvr.upload, owner.dvr.upload))) {
      this.#give(path, owner.name, owner.dvr.path);
      return;
    }
    const names = owners.map(({ name }) => name).join(' or ');
    this.#environment.log.warn(`dvr: ${path} was interrupted and is not uploaded: it may be of vhost ${names}`);
  }

  #recorded(): readonly VhostConfig[] {
    return this.#vhosts().filter(({ dvr }) => dvr.enabled);
  }

  #vhosts(): readonly VhostConfig[] {
    return Array.from(this.#environment.config.vhosts.values());
  }

  #vhost(name: string): VhostConfig | undefined {
    return this.#environment.config.vhosts.get(name);
  }
}

function journalOf(config: Config, backSource: number): string {
  return stateFile(config, `uploads.${backSource}.jsonl`);
}
