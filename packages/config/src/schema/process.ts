/** The rows about the server as a process of its system. */
import { group, row } from '../field.ts';
import { duration, flag, path } from '../value-type.ts';

const graceTime = duration({ min: 0, max: 86_400_000, unit: 'ms', isWhole: true });

export const processSettings = group({
  workDirectory: row('work_dir', path, './', {
    doc: 'The directory that relative paths count from. The configuration file is found before that.',
    live: 'restart',
    since: '2.0',
  }),
  isChild: row('asprocess', flag, 'off', {
    doc: 'End, as by SIGTERM, when the process that started the server is gone. Needs `daemon off`.',
    live: 'restart',
    since: '3.0',
  }),
  isForegroundInContainer: row('disable_daemon_for_docker', flag, 'on', {
    doc: 'Stay in the foreground whatever `daemon` says where a container ends with the process it runs.',
    live: 'restart',
    since: '3.0',
  }),
  graceStartWaitMs: row('grace_start_wait', graceTime, '2300', {
    doc: 'How long a graceful quit (SIGQUIT) goes on accepting clients, until who sends them knows that the server leaves.',
    since: '3.0',
    live: 'at once',
  }),
  graceClientWaitMs: row('grace_client_wait', graceTime, '20000', {
    doc: 'How long a graceful quit then waits for clients to leave by themselves; the others are dismissed.',
    since: 'new',
    live: 'at once',
  }),
  graceFinalWaitMs: row('grace_final_wait', graceTime, '3200', {
    doc: 'How long a graceful quit waits when the last client has left.',
    since: '3.0',
    live: 'at once',
  }),
  isQuitForced: row('force_grace_quit', flag, 'off', {
    doc: 'Take SIGTERM for SIGQUIT: where nothing else can be sent. A second SIGTERM ends the wait.',
    since: '3.0',
    live: 'at once',
  }),
});
