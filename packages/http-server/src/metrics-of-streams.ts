/** The metrics of single streams: only as many as the operator allows, because names of streams come from clients. */
import type { MetricDefinition } from './metrics-definition.ts';
import { streamLabel } from './metrics-figures.ts';
import type { StreamView } from './server-view.ts';

function byStream(read: (stream: StreamView) => number): MetricDefinition['samples'] {
  return (figures) => {
    // Two streams may have one name when the secrets in it are hidden.
    const byLabel = new Map<string, number>();
    for (const stream of figures.streams) {
      const label = streamLabel(stream);
      byLabel.set(label, (byLabel.get(label) ?? 0) + read(stream));
    }
    return Array.from(byLabel, ([stream, value]) => ({ labels: { stream }, value }));
  };
}

export const streamMetrics: readonly MetricDefinition[] = [
  {
    name: 'srs_stream_players',
    type: 'gauge',
    help: 'Players of the stream.',
    samples: byStream(({ players }) => players),
  },
  {
    name: 'srs_stream_receive_kbps',
    type: 'gauge',
    help: 'What the publisher sends, in the last 30 s.',
    samples: byStream(({ recvKbps30s }) => recvKbps30s),
  },
  {
    name: 'srs_stream_send_kbps',
    type: 'gauge',
    help: 'What all players are sent, in the last 30 s.',
    samples: byStream(({ sendKbps30s }) => sendKbps30s),
  },
  {
    name: 'srs_stream_dropped_frames',
    type: 'gauge',
    help: 'Frames of the current publish that were too large for the memory of the stream.',
    samples: byStream(({ droppedFrames }) => droppedFrames),
  },
  {
    name: 'srs_stream_player_cuts',
    type: 'gauge',
    help: 'Times that players of the stream went on at a newer picture because they were late; of the players there now.',
    samples: byStream(({ playerCuts }) => playerCuts),
  },
  {
    name: 'srs_streams_unlabelled',
    type: 'gauge',
    help: 'Streams without metrics of their own, because exporter { stream_labels } allows no more.',
    samples: ({ unlabelledStreams }) => (unlabelledStreams === null ? [] : [{ value: unlabelledStreams }]),
  },
];
