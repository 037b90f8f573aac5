/** The rows that stand outside of any vhost. */
import { listenAddresses } from '../address-type.ts';
import { group, many, row } from '../field.ts';
import { choice, flag, integer, maxInt, path } from '../value-type.ts';
import { limits } from './access.ts';
import { streamCasters } from './casters.ts';
import { processSettings } from './process.ts';
import { exporter, heartbeat, httpApi, httpStream, pithyPrint, privateApi, ring, rtmps, stats, workers } from './servers.ts';
import { vhostFields } from './vhost.ts';

export const rootFields = {
  listen: row('listen', listenAddresses, undefined, {
    doc: 'Addresses for RTMP. A port alone listens on all IPv4 addresses. Required.',
    live: 'at once',
    example: '1935',
    isRequired: true,
  }),
  pid: row('pid', path, './objs/srs.pid', {
    doc: 'File that holds the process id and the lock against a second server.',
    live: 'at once',
  }),
  chunkSize: row('chunk_size', integer({ min: 128, max: 65536, unit: 'bytes' }), '60000', {
    doc: 'Chunk size of what the server sends. Large chunks cost less; small ones let audio pass between the pieces of a large picture.',
    live: 'at once',
  }),
  inAckSize: row('in_ack_size', integer({ min: 0, max: maxInt, unit: 'bytes' }), '0', {
    doc: 'The acknowledgement window the server asks its clients for; 0 leaves it to the client.',
    since: '3.0',
  }),
  outAckSize: row('out_ack_size', integer({ min: 0, max: maxInt, unit: 'bytes' }), '2500000', {
    doc: 'The acknowledgement window the server announces for its own output.',
    since: '3.0',
  }),
  ffLogDir: row('ff_log_dir', path, './objs', { doc: 'Directory for the logs of ffmpeg; `/dev/null` writes none.' }),
  log: group({
    tank: row('srs_log_tank', choice(['file', 'console'], 'file'), 'file', { doc: 'Where the log goes.', live: 'at once' }),
    level: row('srs_log_level', choice(['verbose', 'info', 'trace', 'warn', 'error', 'off'], 'off'), 'trace', {
      doc: 'The least important lines that are written; `off`, as any text that is no level, writes none.',
      live: 'at once',
    }),
    file: row('srs_log_file', path, './objs/srs.log', { doc: 'The log file, appended to.', live: 'at once' }),
    format: row('srs_log_format', choice(['classic', 'json']), 'classic', {
      doc: '`classic` writes the lines of SRS, `json` one object per line.',
      since: 'new',
      live: 'at once',
    }),
    isUtc: row('utc_time', flag, 'off', {
      doc: 'Times in the log are UTC instead of local time.',
      since: '2.0',
      live: 'at once',
    }),
  }),
  maxConnections: row('max_connections', integer({ min: 1, max: maxInt }), '1000', {
    doc: 'Connections of all kinds together; one more is closed at once. The process must be allowed to open as many files.',
  }),
  limits,
  inotifyAutoReload: row('inotify_auto_reload', flag, 'off', {
    doc: 'Reload when the configuration file, or one that it includes, has been written.',
    since: '4.0',
    live: 'at once',
  }),
  daemon: row('daemon', flag, 'on', { doc: 'Run in the background.', live: 'restart' }),
  process: processSettings,
  workers,
  ring,
  privateApi,
  pithyPrint,
  httpApi,
  httpStream,
  rtmps,
  streamCasters,
  heartbeat,
  stats,
  exporter,
};

export const vhosts = many('vhost', vhostFields, {
  doc: 'How the clients of one host name are served. The vhost `__defaultVhost__` serves those whose own is not configured.',
  argument: 'NAME',
  example: '__defaultVhost__',
  sameName: 'first counts',
  live: 'at once',
});

/** All that may stand in a configuration. */
export const schema = { ...rootFields, vhosts };
