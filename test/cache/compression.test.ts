import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { compressed, decompressed, MAX_PLAIN_BYTES } from '../../src/cache/store/compression.ts';

const PLAIN = Buffer.from(JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id, bankName: 'Granite Bank' }))));

it('gives back what was compressed, which takes a fraction', async () => {
  const bytes = await compressed(PLAIN);
  expect(bytes.length).toBeLessThan(PLAIN.length / 4);
  expect(decompressed(bytes, PLAIN.length)).toEqual(PLAIN);
});

it('takes nothing that is cut, garbled or of another length', async () => {
  const bytes = await compressed(PLAIN);
  const garbled = Buffer.from(bytes);
  garbled.fill(0xff, 20, 40);
  expect(decompressed(bytes.subarray(0, -9), PLAIN.length)).toBeUndefined();
  expect(decompressed(garbled, PLAIN.length)).toBeUndefined();
  expect(decompressed(bytes, PLAIN.length - 1)).toBeUndefined();
  expect(decompressed(bytes, PLAIN.length + 1)).toBeUndefined();
});

it('unpacks no bomb: not more than was said, and not whatever is said', () => {
  const bomb = gzipSync(Buffer.alloc(MAX_PLAIN_BYTES + 1));
  expect(decompressed(bomb, 1_000)).toBeUndefined();
  expect(decompressed(bomb, MAX_PLAIN_BYTES + 1)).toBeUndefined();
  for (const size of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) expect(decompressed(bomb, size)).toBeUndefined();
});
