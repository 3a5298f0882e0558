import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const SCRIPTS = path.resolve(import.meta.dirname, '../../scripts');

export interface ScriptRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command's script from its source, as `npm run` does from the build. */
export async function runScript(
  script: string,
  args: readonly string[],
  { cwd, env }: { cwd?: string; env: Readonly<Record<string, string>> },
): Promise<ScriptRun> {
  const loader = import.meta.resolve('@oxc-node/core/register');
  const child = spawn(process.execPath, ['--import', loader, path.join(SCRIPTS, script), ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: code as number, stdout, stderr };
}
