import fc from 'fast-check';
import { expect, it } from 'vitest';
import { frame, frameStart, unframe } from '../../src/cache/redis/entry-frame.ts';

const KEY = 'tenant:{a}:response:x';
const HEADER = { versions: { epoch: 'e', accounts: 3 }, contentType: 'application/json; Zürich' };
const FRAMED = frame(KEY, HEADER, Buffer.from('the payload'));

it('reads back what it wrote, whatever that was', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.dictionary(fc.string(), fc.string()),
      fc.uint8Array(),
      (...written) => {
        const [key, header, bytes] = written;
        const payload = Buffer.from(bytes);
        const read = unframe(key, frame(key, header, payload));
        expect(read && [JSON.stringify(read.header), read.payload]).toEqual([JSON.stringify(header), payload]);
      },
    ),
  );
});

it('takes no entry that was cut, however long the rest is', () => {
  for (let length = 0; length < FRAMED.length; length++)
    expect(unframe(KEY, FRAMED.subarray(0, length))).toBeUndefined();
});

it('takes no entry of which a bit was changed, or to which something was added', () => {
  for (let bit = 0; bit < FRAMED.length * 8; bit++) {
    const changed = Buffer.from(FRAMED);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(unframe(KEY, changed)).toBeUndefined();
  }
  expect(unframe(KEY, Buffer.concat([FRAMED, Buffer.from('x')]))).toBeUndefined();
});

it('takes no entry of another key, such as another tenant’s', () => {
  expect(unframe(KEY.replace('{a}', '{b}'), FRAMED)).toBeUndefined();
});

it.each([
  ['nothing', ''],
  ['another layout', 'tny1\0\0\0\x02{}body'],
  ['text', 'a string of somebody else, long enough'],
])('takes no %s', (_, bytes) => {
  expect(unframe(KEY, Buffer.from(bytes))).toBeUndefined();
});

it('tells the header and the whole size from the beginning of an entry', () => {
  const bytes = FRAMED.length;
  expect(frameStart(FRAMED.subarray(0, bytes - 'the payload'.length))).toEqual({ header: HEADER, bytes });
  expect(frameStart(FRAMED.subarray(0, 40))).toBeUndefined();
});
