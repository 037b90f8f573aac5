/** What only the master can tell or do. */
import { formatAddress, type ServerAddress } from '@srs/config';
import { SrsError } from '@srs/kernel';
import { askPrivateApi, type PrivateMethod } from '@srs/survey';

/** @returns the data of its answer, not checked. @throws SrsError naming what was refused, or the address that cannot be reached */
export async function askMasterFor(
  api: ServerAddress,
  path: string,
  timeoutMs: number,
  method: PrivateMethod = 'GET',
): Promise<unknown> {
  try {
    return (await askPrivateApi(api, path, timeoutMs, method)).data;
  } catch (error) {
    if (!(error instanceof SrsError)) throw error;
    const what = error.errorName === 'HttpAnswer' ? 'refuses' : 'cannot be reached';
    throw new SrsError(error.errorName, `the master's private API at ${formatAddress(api)} ${what}: ${error.message}`);
  }
}
