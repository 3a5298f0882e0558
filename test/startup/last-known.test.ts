import { expect, test } from 'vitest';
import { LastKnown } from '../../src/startup/last-known.ts';

test('is read once for all who ask meanwhile, and anew afterwards', async () => {
  let reads = 0;
  const text = new LastKnown(
    '',
    async () => `read ${++reads}`,
    () => {},
  );
  expect(await Promise.all([text.get(), text.get(), text.get()])).toEqual(Array(3).fill('read 1'));
  expect(await text.get()).toBe('read 2');
});

test('a failure is told, and answered with what was known; the next one is read again', async () => {
  const answers = [() => 'first', () => Promise.reject(new Error('no figures')), () => 'third'];
  const told: unknown[] = [];
  const text = new LastKnown(
    '',
    async () => answers.shift()?.() ?? '',
    (error) => told.push(error),
  );
  expect([await text.get(), await text.get(), await text.get()]).toEqual(['first', 'first', 'third']);
  expect(told).toEqual([new Error('no figures')]);
});

test('a failure before anything was known is answered, too', async () => {
  const text = new LastKnown(
    '',
    () => Promise.reject(new Error('no figures')),
    () => {},
  );
  expect(await text.get()).toBe('');
});
