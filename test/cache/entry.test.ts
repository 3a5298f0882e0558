import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { frame } from '../../src/cache/redis/entry-frame.ts';
import { decodeEntry, encodeEntry, etagOf, gzippedBody, type ResponseEntry } from '../../src/cache/store/entry.ts';

const KEY = 'tenant:{a}:response:x';

it('comes back as it was stored, plain or compressed, without what is made for sending', async () => {
  const entry = entryOf('{"data":"ü"}'.repeat(500));
  const stored = { ...entry };
  const gzipped = await gzippedBody(entry);
  entry.head = ['cache-control', 'private'];
  expect(decodeEntry(KEY, encodeEntry(KEY, entry))).toEqual(stored);
  expect(decodeEntry(KEY, encodeEntry(KEY, entry, gzipped))).toEqual({ ...stored, gzipped });
});

it('takes less room compressed, and is compressed once for Redis and the clients', async () => {
  const entry = entryOf('{"data":"more of the same"}'.repeat(500));
  const [one, other] = await Promise.all([gzippedBody(entry), gzippedBody(entry)]);
  expect(other).toBe(one);
  expect(entry.gzipped).toBe(one);
  expect(encodeEntry(KEY, entry, one).length).toBeLessThan(encodeEntry(KEY, entry).length / 10);
});

it('is none when its compressed body is not what its header says, though the hash is right', () => {
  const { body, ...header } = entryOf('{"data":"more of the same"}'.repeat(500));
  const stored = (payload: Buffer, plainBytes: unknown) => frame(KEY, { ...header, plainBytes }, payload);
  expect(decodeEntry(KEY, stored(gzipSync(body), body.length))).toBeDefined();
  expect(decodeEntry(KEY, stored(gzipSync(body), body.length - 1))).toBeUndefined();
  expect(decodeEntry(KEY, stored(gzipSync(body).subarray(0, -20), body.length))).toBeUndefined();
  expect(decodeEntry(KEY, stored(body, body.length))).toBeUndefined();
  expect(decodeEntry(KEY, stored(gzipSync(Buffer.alloc(50_000_000)), 50_000_000))).toBeUndefined();
});

it('keeps nothing else of what Redis sent in memory', () => {
  const received = Buffer.concat([Buffer.alloc(100_000), encodeEntry(KEY, entryOf('{"data":null}'.repeat(1000)))]);
  const entry = decodeEntry(KEY, received.subarray(100_000));
  expect(entry?.body.buffer).not.toBe(received.buffer);
});

function entryOf(text: string): ResponseEntry {
  const body = Buffer.from(text);
  return {
    versions: { epoch: 'e', accounts: 2 },
    createdAtMs: 1_000,
    expiresAtMs: 2_000,
    contentType: 'application/json',
    operationName: null,
    namespace: 'accounts',
    etag: etagOf(body),
    body,
  };
}
