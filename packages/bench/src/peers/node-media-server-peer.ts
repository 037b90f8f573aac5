/** Node-Media-Server from npm, fetched when it is first needed. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChildRun } from './child-run.ts';
import { findProgram } from './find-program.ts';
import { ensurePortIsFree, type Peer, PeerMissing, type RunningPeer, waitUntilAccepting } from './peer.ts';
import type { Workbench } from './workbench.ts';

const PACKAGE = 'node-media-server';
/** One version, so that figures of different days can be compared. */
const VERSION = '4.4.3';
const INSTALL_LIMIT_MS = 120_000;

export class NodeMediaServerPeer implements Peer {
  readonly name = PACKAGE;
  readonly title = 'Node-Media-Server';

  async prepare(bench: Workbench): Promise<string> {
    if (!existsSync(this.#program(bench))) await this.#install(bench);
    const description = JSON.parse(readFileSync(join(this.#folder(bench), 'package.json'), 'utf8')) as {
      readonly version: string;
    };
    return `${description.version} on Node ${process.versions.node}`;
  }

  async start(bench: Workbench, port: number): Promise<RunningPeer> {
    await ensurePortIsFree(port);
    const place = bench.newPlace(this.name);
    const configFile = join(place, 'config.json');
    writeFileSync(configFile, JSON.stringify({ bind: '127.0.0.1', rtmp: { port } }));
    const program = await ChildRun.start({
      name: this.name,
      command: [bench.node, this.#program(bench), '-c', configFile],
      cwd: place,
      cores: bench.serverCores,
    });
    try {
      await waitUntilAccepting(program, port, bench.signal);
    } catch (thrown) {
      await program.stop();
      throw thrown;
    }
    return {
      processes: [{ pid: program.pid, label: 'server', isServing: true }],
      url: (stream) => `rtmp://127.0.0.1:${port}/live/${stream}`,
      [Symbol.asyncDispose]: async () => void (await program.stop()),
    };
  }

  #home(bench: Workbench): string {
    return join(bench.cache, `${PACKAGE}-${VERSION}`);
  }

  #folder(bench: Workbench): string {
    return join(this.#home(bench), 'node_modules', PACKAGE);
  }

  #program(bench: Workbench): string {
    return join(this.#folder(bench), 'bin/app.js');
  }

  /** @throws PeerMissing */
  async #install(bench: Workbench): Promise<void> {
    const npm = findProgram('npm');
    if (npm === undefined) throw new PeerMissing(`there is no npm to fetch ${PACKAGE} ${VERSION} with`);
    const home = this.#home(bench);
    mkdirSync(home, { recursive: true });
    // A package of its own: npm must not take the folder for a part of this project.
    writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
    bench.say(`fetching ${PACKAGE} ${VERSION} into ${home}`);
    try {
      await ChildRun.run({
        name: 'npm install',
        command: [npm, 'install', '--prefix', home, '--ignore-scripts', '--no-audit', '--no-fund', `${PACKAGE}@${VERSION}`],
        cwd: home,
        limitMs: INSTALL_LIMIT_MS,
        signal: bench.signal,
      });
    } catch (thrown) {
      bench.signal.throwIfAborted();
      throw new PeerMissing(`${PACKAGE} ${VERSION} could not be fetched from npm: ${String(thrown)}`);
    }
  }
}
