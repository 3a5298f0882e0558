import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';

import { TOOLS } from '../../scripts/bootstrap/tools.mjs';
import { builtFrom } from '../support/built.ts';
import type { ScriptRun } from './run-script.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};

const COMMANDS = Object.keys(scripts);
/** Those that are no script of their own. */
const WITHOUT_SCRIPT = ['build', ...Object.keys(TOOLS)];
const WITH_SCRIPT = COMMANDS.filter((command) => !WITHOUT_SCRIPT.includes(command));
/** Their programs look at the arguments, which takes a start of theirs. */
const PASSING_ON = Object.keys(TOOLS).filter((command) => TOOLS[command]?.passesOn);
const WRONG = '--wrong-option';

describe('every command of package.json', () => {
  let outcomes: ReadonlyMap<string, readonly [help: ScriptRun, wrong: ScriptRun]>;

  beforeAll(async () => {
    const [helps, wrongs] = await Promise.all(['--help', WRONG].map(runScripts));
    const byScript = WITH_SCRIPT.map((command, at) => [command, [helps?.[at], wrongs?.[at]]] as const);
    const byTool = WITHOUT_SCRIPT.map(async (command) => {
      const wrong = runNode(['scripts/run.mjs', command, WRONG]);
      return [command, [await runNode(['scripts/run.mjs', command, '--help']), await wrong]] as const;
    });
    outcomes = new Map([...byScript, ...(await Promise.all(byTool))] as [string, [ScriptRun, ScriptRun]][]);
  }, 120_000);

  it('is run by the same script', () => {
    expect(COMMANDS.filter((command) => scripts[command] !== `node scripts/run.mjs ${command}`)).toEqual([]);
    expect([...outcomes.keys()].sort()).toEqual([...COMMANDS].sort());
  });

  it.each(COMMANDS)('%s --help says what it does and takes, and ends', (command) => {
    const help = outcomes.get(command)?.[0];
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help?.stdout).toMatch(
      new RegExp(`^Usage: npm run ${command} -- .*\\n\\n[A-Z][^]*\\n {2}--help +Show this help\\.\\n`),
    );
  });

  it.each(COMMANDS)('%s refuses an option that it does not know, and says where to look', (command) => {
    const wrong = outcomes.get(command)?.[1];
    expect(wrong?.code).toBe(1);
    const said = `${wrong?.stdout}${wrong?.stderr}`.replaceAll('`', "'");
    expect(said).toMatch(/unknown option '--(?:wrong-option|wrongOption)'|'--wrong-option' is not expected/i);
    expect(wrong?.stderr).toMatch(new RegExp(`See: npm run ${command} -- --help\\n$`));
    if (!PASSING_ON.includes(command)) expect(wrong?.stderr).not.toMatch(/\n\s+at |prepar|generat|building/);
  });
});

function sourceOf(command: string): string {
  return command === 'start' ? 'src/main.ts' : `scripts/${command.replaceAll(':', '-')}.ts`;
}

/** All commands that are scripts, with one argument. */
async function runScripts(argument: string): Promise<ScriptRun[]> {
  const runner = path.join(import.meta.dirname, 'run-every-script.mjs');
  const programs = await Promise.all(WITH_SCRIPT.map((command) => builtFrom(sourceOf(command))));
  const { stdout, stderr } = await runNode([runner, argument, ...programs]);
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout);
}

async function runNode(args: readonly string[]): Promise<ScriptRun> {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: code as number, stdout, stderr };
}
