/** The foreign programs that tests use: whether this machine has them, and how to get the missing ones. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Program to the Debian package that brings it. A test may only ask for what stands here. */
export const programPackages = {
  bash: 'bash',
  adduser: 'adduser',
  chromium: 'chromium',
  'dpkg-deb': 'dpkg',
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffmpeg',
  'gst-launch-1.0':
    'gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav',
  ip: 'iproute2',
  logrotate: 'logrotate',
  nginx: 'nginx libnginx-mod-rtmp',
  nsenter: 'util-linux',
  openssl: 'openssl',
  python3: 'python3',
  'redis-server': 'redis-server',
  rtmpdump: 'rtmpdump',
  setpriv: 'util-linux',
  shellcheck: 'shellcheck',
  tshark: 'tshark',
  unshare: 'util-linux',
} as const;

export type Program = keyof typeof programPackages;

/** How the note of a skipped test begins; the summary of a run groups by the whole note. */
export const MISSING_PREFIX = 'needs ';

/** The path of `program` on this machine; undefined when PATH does not lead to it. */
export function findProgram(program: Program): string | undefined {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this directory.
    }
  }
  return undefined;
}

/** What to tell a user whose machine lacks `missing`. */
export function missingNote(missing: readonly Program[]): string {
  const packages = new Set(missing.map((program) => programPackages[program]));
  return `${MISSING_PREFIX}${missing.join(', ')}: apt-get install ${[...packages].join(' ')}`;
}
