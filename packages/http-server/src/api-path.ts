/** The paths of requests as the API compares them. */

/** Two slashes and more count as one, one at the end does not count; what stands behind `?` stays as it is. */
export function normalizeUrl(url: string): string {
  // A proxy's form of a request names the server once more.
  const target = url.replace(/^https?:\/\/[^/?]*/i, '');
  const queryStart = target.indexOf('?');
  const path = (queryStart < 0 ? target : target.slice(0, queryStart)).replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
  return (path.startsWith('/') ? path : `/${path}`) + (queryStart < 0 ? '' : target.slice(queryStart));
}

/** Without the query, in which secrets may stand. */
export function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? '';
}

/** Which methods a path has, for the answer to one that it has not. */
export class MethodTable {
  readonly #routes: { readonly segments: readonly string[]; readonly methods: readonly string[] }[] = [];

  /** @param pattern as fastify has it; `:name` stands for any one segment */
  add(pattern: string, methods: readonly string[]): void {
    this.#routes.push({ segments: pattern.split('/'), methods });
  }

  /** @returns empty when there is no such path */
  methodsOf(path: string): readonly string[] {
    const segments = path.split('/');
    const found = this.#routes.filter((route) => {
      if (route.segments.length !== segments.length) return false;
      return route.segments.every((segment, index) => segment.startsWith(':') || segment === segments[index]);
    });
    return [...new Set(found.flatMap(({ methods }) => methods))].sort();
  }
}
