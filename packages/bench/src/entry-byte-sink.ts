/** Connects to a port many times and reads what comes, without looking at it: `entry-byte-sink.ts PORT SOCKETS`. */
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';

const READ_BUFFER_BYTES = 64 * 1024;
/** So many are connected at a time: more would be dropped by the queue of the listener and come seconds later. */
const BURST = 100;

const [port = 0, sockets = 0] = process.argv.slice(2).map(Number);
const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
let bytes = 0;
const open = new Set<Promise<void>>();

function connectOnce(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer,
      callback: (length) => {
        bytes += length;
        return true;
      },
    },
  });
  const closed = new Promise<void>((done) => socket.once('close', () => done()));
  socket.once('connect', resolve);
  // Before it is connected this ends the program; afterwards the loop has ended, which is no error.
  socket.on('error', reject);
  open.add(closed);
  return promise;
}

for (let done = 0; done < sockets; done += BURST) {
  await Promise.all(Array.from({ length: Math.min(BURST, sockets - done) }, connectOnce));
  await setImmediate();
}
await Promise.all(open);
process.stdout.write(`${JSON.stringify({ bytes })}\n`);
