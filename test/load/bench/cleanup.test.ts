import { expect, test } from 'vitest';

import { Cleanup, withCleanup } from './cleanup.ts';

test('what was started is ended in the reverse order, also after a failure, which is told', async () => {
  const ended: string[] = [];
  const work = withCleanup(async (cleanup) => {
    cleanup.add(() => void ended.push('first'));
    cleanup.add(() => {
      ended.push('second');
      throw new Error('second does not end');
    });
    cleanup.add(async () => void ended.push('third'));
  });
  await expect(work).rejects.toThrow('second does not end');
  expect(ended).toEqual(['third', 'second', 'first']);
});

test('what is started while everything ends is ended too', async () => {
  const cleanup = new Cleanup();
  await cleanup.run();
  const ended: string[] = [];
  expect(() => cleanup.add(() => void ended.push('late'))).toThrow('the bench is ending');
  expect(ended).toEqual(['late']);
});
