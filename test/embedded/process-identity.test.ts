import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';

import { commandLineOf, identityOf, isIdentityAlive } from '../../src/embedded/process-identity.mjs';

test('knows this process as alive', () => {
  expect(isIdentityAlive(identityOf())).toBe(true);
});

test('takes another process that got the same pid for another', () => {
  expect(isIdentityAlive(`${process.pid}-000000000000`)).toBe(false);
});

test('knows a process that has ended as dead', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
  const identity = identityOf(pidOf(child));
  expect(isIdentityAlive(identity)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isIdentityAlive(identity)).toBe(false);
});

test.runIf(process.platform === 'linux')('knows a process that nobody has reaped as dead', async () => {
  // The shell turns into a program that never asks how its child ended.
  const parent = spawn('/bin/sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [line] = await once(parent.stdout.setEncoding('utf8'), 'data');
  await expect.poll(() => isIdentityAlive(identityOf(Number(line)))).toBe(false);
  expect(() => process.kill(Number(line), 0)).not.toThrow();
});

test('tells the command line of a process', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()', 'a-word-of-its-own']);
  onTestFinished(() => void child.kill('SIGKILL'));
  await expect.poll(() => commandLineOf(pidOf(child))).toContain('a-word-of-its-own');
});

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the process did not start');
  return child.pid;
}
