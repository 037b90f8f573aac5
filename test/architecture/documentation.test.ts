import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root })].sort();
const read = (page: string): string => readFileSync(join(root, page), 'utf8');

/** As the sites that show Markdown make them: lower case, blanks become dashes, signs are left out. */
function anchors(page: string): Set<string> {
  const headings = withoutCode(read(page)).matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
}

function deadLinks(page: string): string[] {
  const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && !anchors(target).has(decodeURIComponent(anchor));
  });
}

it.each(pages)('every link in %s leads to a page and a heading that are there', (page) => {
  expect(deadLinks(page)).toEqual([]);
});

describe('the guide in Chinese', () => {
  const english = read('docs/operators-guide.md');
  const chinese = read('docs/zh/operators-guide.md');
  const blocks = (text: string, language: string): string[] =>
    [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, kind, block = '']) => (kind === language ? [block] : []));
  /** The remarks behind the commands are in the language of the page. */
  const commands = (text: string): string[] =>
    blocks(text, 'sh').flatMap((block) => block.split('\n').map((line) => line.replace(/ +# .*$/, '')));

  it('has the commands and configurations of the English one', () => {
    expect(commands(english).length).toBeGreaterThan(20);
    expect(commands(chinese)).toEqual(commands(english));
    expect(blocks(chinese, '')).toEqual(blocks(english, ''));
  });

  it('has its headings and tables', () => {
    const shape = (text: string): string[] => text.split('\n').flatMap((line) => /^(#+ |\|)/.exec(line)?.[0] ?? []);
    expect(shape(chinese)).toEqual(shape(english));
  });
});
