/** The HTTP server of files and streams as a process of its own, so that its memory and descriptors can be looked at. */
import { loadConfig } from '@srs/config';
import { silentLog, systemClock } from '@srs/kernel';
import { HttpFront } from './http-front.ts';
import { createMediaServer } from './media-server.ts';

const { config } = loadConfig(`listen 1935; http_stream { enabled on; dir ${process.argv[2] ?? ''}; } vhost v { }`, {
  fileName: 'srs.conf',
});
const media = await createMediaServer({
  config: () => config,
  identity: { version: '2.1.3' },
  clock: systemClock,
  log: silentLog,
});
const front = new HttpFront({
  log: silentLog,
  serve: (request, response) => media.serve(request, response),
  claimConnection: () => true,
  releaseConnection: () => {},
  closeListener: (server) => {
    server.close();
    return [];
  },
});
await front.listen('media', { host: '127.0.0.1', port: 0 });
console.log(`port ${front.portOf('media')}`);
