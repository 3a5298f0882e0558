import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { counted } from '../src/counted.ts';

test('a count and its noun agree', () => {
  expect([0, 1, 2, 999, 1_000, 1_234_567].map((count) => counted(count, 'row'))).toEqual([
    '0 rows',
    '1 row',
    '2 rows',
    '999 rows',
    '1,000 rows',
    '1,234,567 rows',
  ]);
  expect([1, 2].map((count) => counted(count, 'entry', 'entries'))).toEqual(['1 entry', '2 entries']);
});

test('no text leaves it to its reader whether there is one', () => {
  const root = path.resolve(import.meta.dirname, '..');
  const files = ['src', 'scripts', 'prisma']
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
    )
    .filter((file) => /\.m?ts$|\.mjs$/.test(file) && !file.startsWith('src/generated/'));
  expect(files.length).toBeGreaterThan(300);
  expect(files.filter((file) => /\w\(s\)/.test(readFileSync(path.join(root, file), 'utf8')))).toEqual([]);
});
