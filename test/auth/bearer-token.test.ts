import { expect, test } from 'vitest';
import { bearerToken } from '../../src/auth/bearer-token.ts';

test('takes the token of a bearer header, whatever the case of the scheme', () => {
  expect(bearerToken('Bearer aaa.bbb.c-_c')).toBe('aaa.bbb.c-_c');
  expect(bearerToken('bearer aaa.bbb.ccc')).toBe('aaa.bbb.ccc');
  expect(bearerToken('BEARER   aaa.bbb.ccc ')).toBe('aaa.bbb.ccc');
});

test.each([
  undefined,
  '',
  'Bearer',
  'Bearer ',
  'Basic dXNlcjpwYXNz',
  'aaa.bbb.ccc',
  'Bearer aaa bbb',
  'Bearer <token>',
  'Bearer aaa, Bearer bbb',
  'XBearer aaa',
])('finds no token in %j', (header) => {
  expect(bearerToken(header)).toBeUndefined();
});
