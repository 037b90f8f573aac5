/** The installed service in a test machine, as its operator sees it. */

import { mkdtempSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { ChildProgram } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import { repositoryRoot } from '../support/server-process.ts';
import type { TestMachine } from '../support/test-machine.ts';

const WAIT_LIMIT_MS = 15_000;
const configFile = '/etc/srs/srs.conf';
const dropIn = '/run/systemd/system/srs.service.d/test.conf';

/** Builds the package, quick to pack and to unpack. @returns its path */
export async function buildPackage(directory: string, version: string): Promise<string> {
  const end = await ChildProgram.run(join(repositoryRoot, 'deploy/debian/build.sh'), [directory], {
    env: { VERSION: version, COMPRESSION: '-Znone' },
  });
  expect(end).toMatchObject({ code: 0, stderr: '' });
  return end.stdout.trim();
}

/** The same package with another version. @returns its path */
export async function relabelPackage(path: string, version: string): Promise<string> {
  const tree = mkdtempSync(join(dirname(path), 'tree-'));
  const script = `
    set -e
    dpkg-deb --raw-extract "$1" "$2"
    sed -i "s/^Version: .*/Version: $3/" "$2/DEBIAN/control"
    dpkg-deb --root-owner-group -Znone --build "$2" "$(dirname "$1")/srs_$3.deb"
    rm -rf "$2"`;
  const end = await ChildProgram.run('/bin/sh', ['-c', script, 'relabel', path, tree, version]);
  expect(end).toMatchObject({ code: 0, stderr: '' });
  return join(dirname(path), `srs_${version}.deb`);
}

export class InstalledService {
  readonly #machine: TestMachine;

  constructor(machine: TestMachine) {
    this.#machine = machine;
  }

  async property(name: string): Promise<string> {
    return (await this.#machine.output('systemctl', 'show', '--value', '--property', name, 'srs')).trim();
  }

  /** The master. @throws Error when there is none */
  async mainPid(): Promise<number> {
    const pid = Number(await this.property('MainPID'));
    if (pid === 0) throw new Error(`the service does not run\n${await this.journal()}`);
    return pid;
  }

  /** Whether somebody accepts connections on a port of the machine. */
  async accepts(port: number): Promise<boolean> {
    return (await this.#machine.run('/bin/bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${port}`)).code === 0;
  }

  /** Listens on a port until it is disposed of. */
  async occupy(port: number): Promise<AsyncDisposable> {
    const script = `require("net").createServer().listen(${port})`;
    await this.#machine.shell(`systemd-run --quiet --unit occupy /usr/lib/srs/node_modules/.bin/node -e '${script}'`);
    await eventually(
      () => this.accepts(port),
      WAIT_LIMIT_MS,
      () => `nobody listens on ${port}`,
    );
    return { [Symbol.asyncDispose]: async () => void (await this.#machine.output('systemctl', 'stop', 'occupy')) };
  }

  /** Runs `body` while the configuration has one more line at its beginning, which counts more than what follows. */
  async withConfig(line: string, body: () => Promise<void>): Promise<void> {
    await this.#machine.shell(`cp -p ${configFile} /tmp/srs.conf && sed -i '1i ${line}' ${configFile}`);
    try {
      await body();
    } finally {
      await this.#machine.shell(`cp -p /tmp/srs.conf ${configFile}`);
    }
  }

  /** Runs `body` while the unit is changed. */
  async withDropIn(text: string, body: () => Promise<void>): Promise<void> {
    await this.#machine.shell(`mkdir -p ${dirname(dropIn)} && printf '${text}' >${dropIn} && systemctl daemon-reload`);
    try {
      await body();
    } finally {
      await this.#machine.shell(`rm ${dropIn} && systemctl daemon-reload`);
    }
  }

  /** What the service and its manager have said, in the journal and in the log of the server. */
  async journal(): Promise<string> {
    const log = await this.#machine.shell('cat /var/log/srs/srs.log');
    return `${await this.#machine.shell('journalctl --sync; journalctl --no-pager --unit srs')}${log}`;
  }

  /** Waits until the log of the server has a line that matches. */
  async waitForLog(pattern: RegExp): Promise<void> {
    const log = () => this.#machine.shell('cat /var/log/srs/srs.log');
    await eventually(
      async () => pattern.test(await log()),
      WAIT_LIMIT_MS,
      () => `the log does not have ${pattern}`,
    );
  }

  /** Waits until another process than `pid` serves. Both properties come from one answer: between two, the service may have died. */
  async waitForOtherPid(pid: number): Promise<void> {
    const query = ['show', '--property', 'ActiveState,MainPID', 'srs'];
    await eventually(
      async () => {
        const answer = await this.#machine.output('systemctl', ...query);
        return answer.includes('ActiveState=active\n') && !/^MainPID=0$/m.test(answer) && !answer.includes(`MainPID=${pid}\n`);
      },
      WAIT_LIMIT_MS,
      () => `process ${pid} has not been replaced`,
    );
  }
}
