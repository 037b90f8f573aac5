/** Those who know of streams that are served elsewhere, asked one after another. */
import type { StreamUse } from '@srs/access';
import type { AdmittedStream } from './admitted-stream.ts';
import type { RedirectAnswer, StreamRoutes } from './client-redirect.ts';

export class RouteList implements StreamRoutes {
  #routes: readonly StreamRoutes[] = [];

  /** It is asked behind those that are there. @returns what takes it out again */
  add(routes: StreamRoutes): () => void {
    this.#routes = [...this.#routes, routes];
    return () => {
      this.#routes = this.#routes.filter((each) => each !== routes);
    };
  }

  /** The first that knows decides. */
  find(use: StreamUse, stream: AdmittedStream): RedirectAnswer | undefined | Promise<RedirectAnswer | undefined> {
    return askFrom(this.#routes, 0, use, stream);
  }
}

function askFrom(
  routes: readonly StreamRoutes[],
  first: number,
  use: StreamUse,
  stream: AdmittedStream,
): RedirectAnswer | undefined | Promise<RedirectAnswer | undefined> {
  for (let index = first; index < routes.length; index += 1) {
    const answer = routes[index]!.find(use, stream);
    if (answer instanceof Promise) return answer.then((found) => found ?? askFrom(routes, index + 1, use, stream));
    if (answer !== undefined) return answer;
  }
  return undefined;
}
