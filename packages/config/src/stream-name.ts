/** The name a client publishes or plays: `stream[?vhost=name&token=text&...]`. */
import { SrsError } from '@srs/kernel';
import { findHostFault, findNameFault, findVhostParam, hasUnprintable, normalizeHost, normalizeName } from './name-check.ts';
import { showValue } from './problem.ts';

/** UTF-8 bytes of a stream name with its parameters. */
export const maxStreamNameBytes = 8192;

export interface StreamName {
  /** Without parameters; safe to be part of a path. */
  readonly stream: string;
  /** Overrides the vhost of the tcUrl. */
  readonly vhost?: string;
  /** As the client wrote it, not decoded. */
  readonly token?: string;
  /** From the first `?` on, as the client wrote it; empty if there is none. */
  readonly param: string;
}

/**
 * Splits the parameters off a stream name and checks what remains.
 *
 * @throws SrsError RtmpStreamName when the name is empty, too long, or could leave its place in a path, URL or command line
 */
export function parseStreamName(name: string): StreamName {
  const bytes = Buffer.byteLength(name);
  if (bytes > maxStreamNameBytes) {
    throw new SrsError('RtmpStreamName', `stream name has ${bytes} bytes, must have at most ${maxStreamNameBytes}`);
  }
  const paramStart = name.indexOf('?');
  const param = paramStart === -1 ? '' : name.slice(paramStart);
  const stream = normalizeName(paramStart === -1 ? name : name.slice(0, paramStart));
  const fault = findNameFault(stream);
  if (fault !== undefined) throw new SrsError('RtmpStreamName', `stream name ${showValue(name)} ${fault}`);

  if (hasUnprintable(param)) {
    throw new SrsError('RtmpStreamName', `stream name ${showValue(name)} has a control or invisible character in its parameters`);
  }

  const vhostText = findVhostParam(param.slice(1));
  const vhost = vhostText === undefined ? undefined : normalizeHost(vhostText);
  const vhostFault = vhost === undefined ? undefined : findHostFault(vhost);
  if (vhostFault !== undefined) throw new SrsError('RtmpStreamName', `vhost in stream name ${showValue(name)} ${vhostFault}`);
  const token = /[?&]token=([^&]*)/.exec(param)?.[1];
  return {
    stream,
    ...(vhost === undefined ? {} : { vhost }),
    ...(token === undefined || token === '' ? {} : { token }),
    param,
  };
}

/** The identity of a stream everywhere: in the directory of streams, API, hooks and log. */
export function streamId(vhost: string, app: string, stream: string): string {
  return `${vhost}/${app}/${stream}`;
}

/** The parts of a `streamId`; an app may have slashes of its own. */
export function splitStreamId(id: string): { readonly vhost: string; readonly app: string; readonly stream: string } {
  const first = id.indexOf('/');
  const last = id.lastIndexOf('/');
  return { vhost: id.slice(0, first), app: id.slice(first + 1, last), stream: id.slice(last + 1) };
}
