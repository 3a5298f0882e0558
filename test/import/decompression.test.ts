import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';

import { readDecompressed } from '../../src/import/decompression.ts';
import type { Compression } from '../../src/import/import-files.ts';
import { FrameCutter } from '../../src/import/zstd-frames.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { ZSTD_FRAME, ZSTD_TEXT } from './zstd-fixture.ts';

const SKIPPABLE_FRAME = Buffer.from('502a4d18' + '03000000' + 'ffffff', 'hex');

/** The content of a file of these bytes, read through all that an import reads through. */
async function contentOf(compression: Compression, ...bytes: Uint8Array[]): Promise<string> {
  const file = path.join(makeTempFolder(), 'transactions.csv');
  writeFileSync(file, Buffer.concat(bytes));
  const chunks: Buffer[] = [];
  const importFile = { table: 'transactions', name: 'transactions.csv', path: file, compression, bytes: 0 } as const;
  for await (const chunk of readDecompressed(importFile)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

describe('a gzip file', () => {
  test('may have several members', async () => {
    expect(await contentOf('gzip', gzipSync('one,'), gzipSync('two'))).toBe('one,two');
  });

  test('that is cut off is refused, even in its last byte', async () => {
    const whole = gzipSync('some rows');
    await expect(contentOf('gzip', whole.subarray(0, -1))).rejects.toThrowError(
      /transactions\.csv cannot be read: it is cut off/,
    );
    await expect(contentOf('gzip', whole.subarray(0, 5))).rejects.toThrowError(/it is cut off/);
  });

  test('that is damaged is refused', async () => {
    const damaged = gzipSync('some rows, '.repeat(100));
    damaged.writeUInt32LE(0, damaged.length - 8);
    await expect(contentOf('gzip', damaged)).rejects.toThrowError(/it is damaged \(incorrect data check\)/);
    await expect(contentOf('gzip', Buffer.from('slug,name\n'))).rejects.toThrowError(/it is damaged/);
  });
});

describe('a zstd file', () => {
  test('is read', async () => {
    expect(await contentOf('zstd', ZSTD_FRAME)).toBe(ZSTD_TEXT);
  });

  test('may have several frames, and some that hold no data', async () => {
    expect(await contentOf('zstd', ZSTD_FRAME, SKIPPABLE_FRAME, ZSTD_FRAME)).toBe(ZSTD_TEXT + ZSTD_TEXT);
  });

  test('that is cut off is refused, even in its last byte or in a later frame', async () => {
    for (const kept of [3, 4, 5, 8, 100, ZSTD_FRAME.length - 1]) {
      await expect(contentOf('zstd', ZSTD_FRAME.subarray(0, kept))).rejects.toThrowError(
        /cannot be read: it is cut off/,
      );
      await expect(contentOf('zstd', ZSTD_FRAME, ZSTD_FRAME.subarray(0, kept))).rejects.toThrowError(/it is cut off/);
    }
  });

  test('that is something else, or is followed by it, is refused', async () => {
    await expect(contentOf('zstd', Buffer.from('slug,name\n'))).rejects.toThrowError(/it is not zstd/);
    await expect(contentOf('zstd', ZSTD_FRAME, Buffer.from('slug,name\n'))).rejects.toThrowError(
      /something else follows it/,
    );
  });

  test('is cut into the same frames however it comes', () => {
    const whole = Buffer.concat([ZSTD_FRAME, SKIPPABLE_FRAME, ZSTD_FRAME]);
    for (const chunkBytes of [1, 2, 7, 100, whole.length]) {
      const cutter = new FrameCutter();
      const frames = [Buffer.alloc(0)];
      for (let at = 0; at < whole.length; at += chunkBytes) {
        for (const { bytes, last } of cutter.push(whole.subarray(at, at + chunkBytes))) {
          frames.push(Buffer.concat([frames.pop() as Buffer, bytes]));
          if (last) frames.push(Buffer.alloc(0));
        }
      }
      expect(frames).toEqual([ZSTD_FRAME, SKIPPABLE_FRAME, ZSTD_FRAME, Buffer.alloc(0)]);
      expect(cutter.complete).toBe(true);
    }
  });
});

test('a file that is gone is refused by its name', async () => {
  const gone = {
    table: 'tenants',
    name: 'tenants.csv',
    path: '/no/such/tenants.csv',
    compression: 'none',
    bytes: 0,
  } as const;
  await expect(readDecompressed(gone).next()).rejects.toThrowError(/\/no\/such\/tenants\.csv cannot be read: ENOENT/);
});
