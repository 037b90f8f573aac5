/** `srs-tool sign`: the signed address of a stream. */
import { grantParameters } from '@srs/access';
import { defaultVhostName, streamId } from '@srs/config';
import type { SignRequest } from './tool-options.ts';

export interface ToolOutput {
  /** For programs: one line with the address, or the JSON document. */
  readonly out: string;
  /** For people. */
  readonly err: string;
}

export function sign(request: SignRequest): ToolOutput {
  const { use, vhost, app, stream, expires, ip, host, secret, unixSeconds } = request;
  const id = streamId(vhost, app, stream);
  const parameters = grantParameters(secret, { use, streamId: id, expires, ...(ip === undefined ? {} : { ip }) });
  // The server looks for the vhost as soon as a client connects, when the name of the stream is not known yet.
  const isVhostSaid = vhost === defaultVhostName || vhost === host.split(':', 1)[0];
  const server = `rtmp://${host}/${app}${isVhostSaid ? '' : `?vhost=${vhost}`}`;
  const streamKey = `${stream}?${parameters}`;
  const url = `${server}/${streamKey}`;
  const expiresAt = new Date(expires * 1000).toISOString().replace('.000Z', 'Z');
  const warning = request.isSecretExposed
    ? 'srs-tool: warning: --secret can be seen in the list of processes and the history of the shell; --secret-file and --secret-env cannot\n'
    : '';
  if (request.isJson) {
    const document = { use, streamId: id, url, server, streamKey, parameters, expires, expiresAt, ip: ip ?? null };
    return { out: `${JSON.stringify(document, null, 2)}\n`, err: warning };
  }
  const who = ip === undefined ? '' : `, for ${ip} only`;
  const lines = [`${use} ${id} until ${expiresAt} (${duration(expires - unixSeconds)})${who}`];
  if (use === 'publish') lines.push(`OBS: server ${server}, stream key ${streamKey}`);
  return { out: `${url}\n`, err: `${warning}${lines.join('\n')}\n` };
}

/** The two largest units. */
function duration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}
