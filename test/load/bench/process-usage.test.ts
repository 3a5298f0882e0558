import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect, test } from 'vitest';

import { cpuMicros, parentOf, treeCpuMicros } from './process-usage.ts';

const BUSY_MS = 400;
const BUSY = `const until = Date.now() + ${BUSY_MS}; while (Date.now() < until);`;

test('the CPU of a process holds that of its children, also of those that have ended', async () => {
  const before = treeCpuMicros(process.pid) - cpuMicros(process.pid);
  const child = spawn(process.execPath, ['-e', `${BUSY} console.log('done'); process.stdin.resume()`]);
  await once(child.stdout, 'data');
  const running = treeCpuMicros(process.pid) - cpuMicros(process.pid) - before;
  child.stdin.end();
  await once(child, 'exit');
  const ended = treeCpuMicros(process.pid) - cpuMicros(process.pid) - before;
  // A quarter of it: the machine may give the child less than a whole core.
  for (const micros of [running, ended]) expect(micros).toBeGreaterThan((BUSY_MS * 1_000) / 4);
});

test('a process of another program, or none, has no parent that is measured', () => {
  expect(parentOf(process.pid, 'postgres')).toBeNaN();
  expect(parentOf(2 ** 22 + 1, 'node')).toBeNaN();
  expect(treeCpuMicros(Number.NaN)).toBeNaN();
});
