/** One publish to every kind of player on every worker, and what each of them lacks. */
import { type ClipName, clip, isContiguousPart, type Packet, type Packets, packetHashes } from '../support/media.ts';
import type { ServerOptions } from '../support/server-process.ts';
import type { PlayerName, StartPublisher } from './programs-test-support.ts';
import { type Player, Stage } from './stage-test-support.ts';

const STREAM = 'live/one';
/** FLV has milliseconds, and GStreamer rounds once more. */
const ROUNDING_MS = 2;

export interface HeldPublish {
  /** `ffmpeg beside`: a player, and whether its worker was the publisher's. */
  readonly places: readonly string[];
  /** Readable; empty when every player got every packet at the right time. */
  readonly differences: readonly string[];
}

/** Attaches the players to each worker, publishes the clip, and compares what they have when the server ends. */
export async function publishToHeldPlayers(
  publish: StartPublisher,
  name: ClipName,
  names: readonly PlayerName[],
  options: ServerOptions & { readonly toleranceMs?: number } = {},
): Promise<HeldPublish> {
  const file = await clip(name);
  await using stage = await Stage.open(options);
  const held = (await Promise.all(names.map((player) => stage.playOnEach(player, STREAM)))).flat();
  const tag = stage.newTag('publisher');
  const program = await publish(file, stage.url(STREAM, tag));
  await program.waitForExit();
  const publisherSlot = await stage.slotOf(tag);
  await stage.waitForDelivery(STREAM);
  await stage.end();

  const published = await packetHashes(file);
  const place = (player: Player) => `${player.name} ${player.slot === publisherSlot ? 'beside' : 'elsewhere'}`;
  const found = await Promise.all(
    held.map(async (player) =>
      (await differencesOf(player, published, options.toleranceMs ?? ROUNDING_MS)).map((text) => `${place(player)}: ${text}`),
    ),
  );
  return { places: held.map(place), differences: found.flat() };
}

async function differencesOf(player: Player, published: Packets, toleranceMs: number): Promise<string[]> {
  try {
    const got = await player.packets();
    const differences = [...missingIn(got, published), ...lateIn(got, published, toleranceMs)];
    return differences.length === 0 ? [] : [...differences, player.program.tail()];
  } catch (thrown) {
    return [thrown instanceof Error ? thrown.message : String(thrown)];
  }
}

/** Everything, from the first packet to the last, in order. */
function missingIn(got: Packets, published: Packets): string[] {
  return (['video', 'audio'] as const).flatMap((kind) => {
    if (got[kind].length === 0 && published[kind].length === 0) return [];
    const { isPart, difference, firstIndex } = isContiguousPart(got[kind], published[kind]);
    if (!isPart) return [`${kind}: ${difference}`];
    const isAll = firstIndex === 0 && got[kind].length === published[kind].length;
    return isAll ? [] : [`${kind}: ${got[kind].length} packets from ${firstIndex} on, of ${published[kind].length}`];
  });
}

/** The times as they were published, counted from the first packet of either track: sound stays with the pictures. */
function lateIn(got: Packets, published: Packets, toleranceMs: number): string[] {
  const start = (packets: Packets) => Math.min(...[packets.video[0], packets.audio[0]].map((first) => first?.dtsMs ?? Infinity));
  const [gotStart, publishedStart] = [start(got), start(published)];
  const isWrong = (one: Packet, other: Packet | undefined) =>
    other !== undefined && Math.abs(one.dtsMs - gotStart - (other.dtsMs - publishedStart)) > toleranceMs;
  return (['video', 'audio'] as const).flatMap((kind) => {
    const index = got[kind].findIndex((packet, at) => isWrong(packet, published[kind][at]));
    if (index < 0) return [];
    const [one, other] = [got[kind][index]!, published[kind][index]!];
    return [`${kind}: packet ${index} at ${one.dtsMs - gotStart} ms, published at ${other.dtsMs - publishedStart} ms`];
  });
}
