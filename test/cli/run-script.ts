import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { vi } from 'vitest';

import { builtFrom } from '../support/built.ts';

const SCRIPTS = path.resolve(import.meta.dirname, '../../scripts');

export interface ScriptRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Surroundings {
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs a command's script in a process of its own, as `npm run` does. */
export async function runScriptAlone(
  script: string,
  args: readonly string[],
  { cwd, env }: Surroundings,
): Promise<ScriptRun> {
  const child = spawn(process.execPath, [await builtFrom(`scripts/${script}`), ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: code as number, stdout, stderr };
}

let runs = 0;

/**
 * Runs a command's script in this process, which has loaded most of it already: loading takes
 * longer than most scripts do. What a script does to a process of its own is seen by
 * `runScriptAlone`, of which every command has a test.
 */
export async function runScript(
  script: string,
  args: readonly string[],
  surroundings: Surroundings,
): Promise<ScriptRun> {
  const restore = takeOver(path.join(SCRIPTS, script), args, surroundings);
  const said = { stdout: '', stderr: '' };
  const written = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += text;
      return true;
    }),
  );
  try {
    // A script runs when it is loaded, under another name each time.
    await import(/* @vite-ignore */ `${path.join(SCRIPTS, script)}?run=${++runs}`);
    return { code: Number(process.exitCode ?? 0), ...said };
  } finally {
    for (const write of written) write.mockRestore();
    restore();
  }
}

/**
 * Gives this process what a process of the script would have. @returns what gives it its own again
 */
function takeOver(file: string, args: readonly string[], { cwd, env }: Surroundings): () => void {
  const own = { argv: process.argv, exitCode: process.exitCode, cwd: process.cwd(), env: { ...process.env } };
  process.argv = [process.execPath, file, ...args];
  process.exitCode = 0;
  if (cwd) process.chdir(cwd);
  Object.assign(process.env, env);
  return () => {
    process.argv = own.argv;
    process.exitCode = own.exitCode;
    process.chdir(own.cwd);
    for (const name of Object.keys(env)) {
      if (own.env[name] === undefined) delete process.env[name];
      else process.env[name] = own.env[name];
    }
  };
}
