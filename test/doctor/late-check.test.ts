import { expect, test } from 'vitest';
import { type Check, makeChecks, ok, warning } from '../../src/doctor/check.ts';
import type { Subject } from '../../src/doctor/subject.ts';

const HANGS: Check = { name: 'hangs', look: () => new Promise(() => {}) };
const NEEDS: Check = { name: 'needs it', needs: ['hangs'], look: async () => ok('fine') };

test('a check that hangs is found, where nothing else would be said of it', async () => {
  const results = await makeChecks([HANGS, NEEDS], {} as Subject, 5, (said) => warning(said, 'Look.'));
  expect(results.map(({ name, status }) => [name, status])).toEqual([
    ['hangs', 'warning'],
    ['needs it', 'skipped'],
  ]);
});

test('a check that hangs is one that was not looked at, for a person who waits', async () => {
  expect(await makeChecks([HANGS], {} as Subject, 5)).toMatchObject([{ name: 'hangs', status: 'skipped' }]);
});
