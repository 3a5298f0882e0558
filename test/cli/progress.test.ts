import { expect, test } from 'vitest';

import { Progress } from '../../src/cli/progress.ts';

function recorder(terminal: { isTTY?: boolean; columns?: number }) {
  const written: string[] = [];
  const clock = { nowMs: 0 };
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  const progress = new Progress({ ...terminal, write } as never, () => clock.nowMs);
  return { written, clock, progress };
}

test('a terminal shows one line that is written over, cut to its width', () => {
  const { written, clock, progress } = recorder({ isTTY: true, columns: 10 });
  progress.update(() => '1 row read');
  clock.nowMs += 100;
  progress.update(() => '2 rows read');
  progress.close();
  expect(written).toEqual(['1 row rea', '\r\u001b[2K', '2 rows re', '\r\u001b[2K']);
});

test('elsewhere a line is written every five seconds and nothing is written over', () => {
  const { written, clock, progress } = recorder({});
  for (let row = 1; row <= 11; row += 1) {
    progress.update(() => `${row} rows`);
    clock.nowMs += 1_000;
  }
  progress.close();
  expect(written).toEqual(['1 rows\n', '6 rows\n', '11 rows\n']);
});

test('a line that is not going to be shown is not made', () => {
  const { progress } = recorder({ isTTY: true });
  progress.update(() => 'shown');
  progress.update(() => {
    throw new Error('made');
  });
});

test('a logged line takes the place of the live one and stays', () => {
  const { written, progress } = recorder({ isTTY: true });
  progress.update(() => 'live');
  progress.log('done');
  progress.close();
  expect(written).toEqual(['live', '\r\u001b[2K', 'done\n']);
});
