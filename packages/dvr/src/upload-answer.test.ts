import { expect, it } from 'vitest';
import { elementText, escapeXml, refusal } from './upload-answer.ts';

const answer = (body: string) => ({ status: 403, headers: {}, body });

it.each([
  ['<A><UploadId>abc</UploadId></A>', 'abc'],
  ['<UploadId>a&amp;b&lt;&gt;&quot;&apos;&#65;&#x1F3a5;</UploadId>', 'a&b<>"\'A\u{1f3a5}'],
  ['<UploadId>&unknown; &#x110000; &</UploadId>', '&unknown; &#x110000; &'],
  ['<UploadId></UploadId>', ''],
  ['<UploadIdMarker>x</UploadIdMarker>', undefined],
  ['<UploadId>abc', undefined],
])('%s has the text %j', (xml, text) => {
  expect(elementText(xml, 'UploadId')).toBe(text);
});

it('what is escaped comes back', () => {
  const text = 'a&b<c>"d"';
  expect(elementText(`<X>${escapeXml(text)}</X>`, 'X')).toBe(text);
});

it('a refusal tells what the store says, in one line, without secrets', () => {
  const body = '<Error><Code>Denied</Code><Message>key\nhush of\u0000 id</Message></Error>';
  expect(refusal('PUT x', answer(body), ['hush', 'id', '']).message).toBe(
    'PUT x was answered with status 403, Denied: key *** of  ***',
  );
  expect(refusal('PUT x', answer(''), []).message).toBe('PUT x was answered with status 403');
  expect(refusal('PUT x', answer(`<Message>${'m'.repeat(5000)}</Message>`), []).message).toHaveLength(
    300 + 'PUT x was answered with status 403, '.length,
  );
});
