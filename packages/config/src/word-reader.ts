/** Splits configuration text into words and the three signs that structure it. */
import { ConfigError, type ConfigErrorName, describeProblem, showValue } from './problem.ts';

export interface Token {
  readonly kind: 'word' | ';' | '{' | '}' | 'end';
  /** The word without its quotes; empty for signs. */
  readonly text: string;
  readonly line: number;
}

const blanks = new Set([' ', '\t', '\r', '\n']);

/** A word ends before these; `}`, `#` and quotes inside a word are part of it (`a#b`, `url?x="1"`). */
function endsWord(char: string | undefined): boolean {
  return char === undefined || char === ';' || char === '{' || blanks.has(char);
}

export class WordReader {
  readonly #text: string;
  readonly #file: string;
  #offset: number;
  #line = 1;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
    this.#offset = text.startsWith('\uFEFF') ? 1 : 0;
  }

  /** The next token; `end` again and again after the last one. */
  next(): Token {
    for (;;) {
      this.#skipBlanksAndComments();
      const char = this.#text[this.#offset];
      if (char === undefined) return this.#sign('end', 0);
      if (char === ';' || char === '{' || char === '}') return this.#sign(char, 1);
      if (char !== '"' && char !== "'") return this.#bareWord();
      const word = this.#quotedWord(char);
      // SRS drops an empty quoted word: it is not an empty argument.
      if (word.text !== '') return word;
    }
  }

  fail(message: string, errorName: ConfigErrorName = 'ConfigInvalid'): never {
    throw new ConfigError([describeProblem({ file: this.#file, line: this.#line }, message)], { errorName });
  }

  #sign(kind: Token['kind'], length: number): Token {
    this.#offset += length;
    return { kind, text: '', line: this.#line };
  }

  #skipBlanksAndComments(): void {
    for (;;) {
      const char = this.#text[this.#offset];
      if (char === '#') {
        const end = this.#text.indexOf('\n', this.#offset);
        this.#offset = end === -1 ? this.#text.length : end;
      } else if (char !== undefined && blanks.has(char)) {
        if (char === '\n') this.#line++;
        this.#offset++;
      } else {
        return;
      }
    }
  }

  #bareWord(): Token {
    const start = this.#offset;
    while (!endsWord(this.#text[this.#offset])) this.#offset++;
    return { kind: 'word', text: this.#text.slice(start, this.#offset), line: this.#line };
  }

  #quotedWord(quote: string): Token {
    const line = this.#line;
    const start = this.#offset + 1;
    const end = this.#text.indexOf(quote, start);
    if (end === -1) this.fail(`the ${quote} quote is never closed`);
    const text = this.#text.slice(start, end);
    for (const char of text) if (char === '\n') this.#line++;
    this.#offset = end + 1;
    const next = this.#text[this.#offset];
    if (next !== undefined && !endsWord(next)) {
      this.fail(`${showValue(next)} after a closing quote must be a blank, ; or {`);
    }
    return { kind: 'word', text, line };
  }
}
