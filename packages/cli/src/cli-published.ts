/** Which published stream somebody means who wants something done with it. */
import type { StreamRows, WorkerAnswer } from '@srs/survey';
import { shortStreamName } from './cli-text.ts';
import { chooseStream, nearStreams } from './explain/explain-subject.ts';

export interface PublishedChoice {
  /** `vhost/app/stream`; null when several are meant. */
  readonly streamId: string | null;
  /** Why nothing can be done with it. */
  readonly failure: string | undefined;
}

/** @param text as a person writes it; @param answers of the back-sources */
export function choosePublished(text: string, answers: readonly WorkerAnswer<StreamRows>[]): PublishedChoice {
  const published = answers.flatMap(({ data }) =>
    (data?.streams ?? []).filter(({ publisher }) => publisher !== null).map(({ streamId }) => streamId),
  );
  const choice = chooseStream(text, published);
  switch (choice.kind) {
    case 'found':
      return { streamId: choice.streamId, failure: undefined };
    case 'ambiguous': {
      const names = choice.streamIds.map(shortStreamName).join(', ');
      return { streamId: null, failure: `${JSON.stringify(text)} can be ${names}` };
    }
    case 'unknown':
      return { streamId: choice.streamId, failure: nobodyPublishes(choice.streamId, published) };
  }
}

/** @param published streams that may have been meant */
export function nobodyPublishes(streamId: string, published: readonly string[]): string {
  const near = nearStreams(streamId, published).map(shortStreamName);
  const hint =
    near.length === 0 ? 'srs-cli streams lists those there are' : `there ${near.length === 1 ? 'is' : 'are'} ${near.join(', ')}`;
  return `nobody publishes ${shortStreamName(streamId)}; ${hint}`;
}
