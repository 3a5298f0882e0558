import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { readStored, storedBytes } from '../../src/cache/store/stored-body.ts';

const KEY = 'tenant:{a}:dashboard:2025-01-31';
const HEADER = { versions: { epoch: 'e' } };
const BODY = Buffer.from('a value '.repeat(10_000));

it.each([
  ['as it is', undefined],
  ['compressed', gzipSync(BODY)],
])('a body that was stored %s comes back with its header', (_, gzipped) => {
  const read = readStored(KEY, storedBytes(KEY, HEADER, BODY, gzipped));
  expect(read).toEqual({ header: HEADER, body: BODY, ...(gzipped && { gzipped }) });
});

it('what was read keeps nothing alive of the buffer that it came in, in which other answers of Redis lie', () => {
  const bytes = storedBytes(KEY, HEADER, BODY);
  const received = Buffer.concat([Buffer.alloc(100_000), bytes]);
  expect(readStored(KEY, received.subarray(100_000))?.body.buffer).not.toBe(received.buffer);
});
