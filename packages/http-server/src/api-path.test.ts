import { expect, it } from 'vitest';
import { MethodTable, normalizeUrl } from './api-path.ts';

it.each([
  ['/', '/'],
  ['//', '/'],
  ['/api/', '/api'],
  ['//api///v1//', '/api/v1'],
  ['/api/v1/?a=//b/', '/api/v1?a=//b/'],
  ['/?', '/?'],
  ['', '/'],
  ['?x=1', '/?x=1'],
  ['http://host:1985/api//v1/', '/api/v1'],
  ['http://host', '/'],
  ['*', '/*'],
])('%s is compared as %s', (url, normal) => {
  expect(normalizeUrl(url)).toBe(normal);
});

it('the methods of a path are those of every pattern that it fits', () => {
  const table = new MethodTable();
  table.add('/clients', ['GET', 'HEAD']);
  table.add('/clients/:id', ['GET']);
  table.add('/clients/:id', ['DELETE']);
  expect(table.methodsOf('/clients')).toEqual(['GET', 'HEAD']);
  expect(table.methodsOf('/clients/7')).toEqual(['DELETE', 'GET']);
  expect(table.methodsOf('/clients/7/x')).toEqual([]);
  expect(table.methodsOf('/constructor')).toEqual([]);
});
