import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { PersistedQueries } from '../../src/http/persisted-queries.ts';

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

test('a hash belongs to one text, though halves of characters have the bytes of others', () => {
  const queries = new PersistedQueries();
  const sha256Hash = hashOf('{ tenant { slug } } # \ufffd');
  const check = (text: string) => () => queries.check({ version: 1, sha256Hash }, text);
  expect(check('{ tenant { slug } } # \ufffd')).not.toThrow();
  for (const half of ['\ud800', '\udfff'])
    expect(check(`{ tenant { slug } } # ${half}`)).toThrow('provided sha does not match query');
});
