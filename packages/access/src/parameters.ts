/** Parameters in what clients write behind an app or a stream: `?key=a&expires=1`. */

/**
 * The value of a parameter in the first of the texts that has it; undefined when none has. As encoders may not let `&` through,
 * a comma separates too. Nothing is decoded.
 * @param texts each from its `?` on, or without
 */
export function findParameter(texts: readonly string[], name: string): string | undefined {
  for (const text of texts) {
    for (const part of text.split(/[?&,]/)) {
      if (part.startsWith(`${name}=`)) return part.slice(name.length + 1);
    }
  }
  return undefined;
}
