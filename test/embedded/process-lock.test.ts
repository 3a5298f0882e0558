import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { withProcessLock } from '../../src/embedded/process-lock.mjs';
import { makeTempFolder } from '../support/temp-folder.ts';

const SCRIPT = path.join(import.meta.dirname, 'processes/lock.mjs');

test('lets one process at a time do its work', async () => {
  const folder = makeTempFolder();
  const file = path.join(folder, 'number');
  writeFileSync(file, '0');
  const children = [1, 2, 3, 4].map(() => startProcess(path.join(folder, 'lock'), file, '20'));
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
  expect(codes).toEqual([0, 0, 0, 0]);
  expect(readFileSync(file, 'utf8')).toBe('80');
});

test('lets one holder at a time work within a process', async () => {
  const folder = makeTempFolder();
  const first = withResolvers();
  const events: string[] = [];
  const one = withProcessLock(folder, async () => {
    events.push('one begins');
    await first.promise;
    events.push('one ends');
  });
  const waiting = withResolvers();
  const two = withProcessLock(folder, async () => void events.push('two'), { onWait: () => waiting.resolve() });
  await waiting.promise;
  first.resolve();
  await Promise.all([one, two]);
  expect(events).toEqual(['one begins', 'one ends', 'two']);
});

test('is free again when its holder was killed, and nothing of the holder stays', async () => {
  const folder = makeTempFolder();
  const holder = startProcess(folder, '', 'forever');
  await once(holder, 'message');
  const waits: number[] = [];
  const got = withProcessLock(folder, async () => 'got it', {
    onWait: (pid) => {
      waits.push(pid);
      holder.kill('SIGKILL');
    },
  });
  expect(await got).toBe('got it');
  expect(waits).toEqual([holder.pid]);
  expect(readdirSync(folder)).toEqual([]);
});

test('is free again when the work failed', async () => {
  const folder = makeTempFolder();
  const failing = withProcessLock(folder, () => Promise.reject(new Error('no luck')));
  await expect(failing).rejects.toThrow('no luck');
  expect(await withProcessLock(folder, async () => 'got it')).toBe('got it');
});

test('names the process that holds it for too long', async () => {
  const folder = makeTempFolder();
  const holder = startProcess(folder, '', 'forever');
  await once(holder, 'message');
  const late = withProcessLock(folder, async () => {}, { timeoutMs: 50 });
  await expect(late).rejects.toThrow(`Process ${holder.pid} has held the lock ${folder}`);
});

function startProcess(...args: string[]) {
  const child = fork(SCRIPT, args, { execArgv: [] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

function withResolvers() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
