/** Takes apart what a player recorded of a stream that several publishers sent one after the other. */
import type { Packet } from '../support/media.ts';

export interface Run {
  /** Index in the list of publishers. */
  readonly publisher: number;
  readonly packets: readonly Packet[];
}

/**
 * Splits one track into the runs of its publishers: each begins with its clip's first packet, goes on without a gap (from the end
 * of the clip to its beginning), and ends where the next one begins.
 *
 * @throws Error that names the first packet that fits nowhere
 */
export function splitIntoRuns(recorded: readonly Packet[], clips: readonly (readonly Packet[])[]): Run[] {
  const runs: { publisher: number; packets: Packet[] }[] = [];
  for (const [index, packet] of recorded.entries()) {
    const run = runs.at(-1);
    const clip = clips[run?.publisher ?? -1];
    if (run !== undefined && packet.hash === clip?.[run.packets.length % clip.length]?.hash) {
      run.packets.push(packet);
    } else if (packet.hash === clips[runs.length]?.[0]?.hash) {
      runs.push({ publisher: runs.length, packets: [packet] });
    } else {
      const where = run === undefined ? 'at the start' : `after ${run.packets.length} packets of publisher ${run.publisher}`;
      throw new Error(
        `packet ${index} (${packet.sizeBytes} bytes at ${packet.dtsMs} ms), ${where}, is neither its next nor the next one's first`,
      );
    }
  }
  return runs;
}

/** The largest and smallest step between neighbours, in ms. */
export function timeSteps(packets: readonly Packet[]): { readonly largest: number; readonly smallest: number } {
  const steps = packets.slice(1).map((packet, index) => packet.dtsMs - packets[index]!.dtsMs);
  return { largest: Math.max(...steps), smallest: Math.min(...steps) };
}
