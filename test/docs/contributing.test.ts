import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };
const CONTRIBUTING = read('CONTRIBUTING.md');

/** A configuration or a task, as VS Code reads it. */
interface Entry {
  readonly label?: string;
  readonly type?: string;
  readonly script?: string;
  readonly command?: string;
  readonly program?: string;
  readonly preLaunchTask?: string;
  readonly runtimeArgs?: readonly string[];
}

const { configurations } = JSON.parse(read('.vscode/launch.json')) as { configurations: readonly Entry[] };
const { tasks } = JSON.parse(read('.vscode/tasks.json')) as { tasks: readonly Entry[] };

/** The names that stand behind `npm run`, with or without options of npm's own. */
function commandsOf(text: string): string[] {
  return [...text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name = '']) => name);
}

function isThere(file: string): boolean {
  return existsSync(path.join(ROOT, file.replace(/^\$\{workspaceFolder\}\//, '')));
}

describe('CONTRIBUTING.md', () => {
  test('names commands that package.json has', () => {
    const named = commandsOf(CONTRIBUTING);
    expect(named).toContain('dev');
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test('names files and folders that are there', () => {
    const inCode = CONTRIBUTING.matchAll(/(?<=[`\s])(?:src|test|prisma|docs|\.ci|scripts)\/[\w./-]*[\w/]/g);
    const linked = CONTRIBUTING.matchAll(/(?<=\]\()[^)#]+/g);
    const named = [...inCode, ...linked].map(([file]) => file);
    expect(named).toContain('src/auth/token-verifier.ts');
    expect(named.filter((file) => !isThere(file))).toEqual([]);
  });

  test('says what the workflow runs', () => {
    const workflow = read('.github/workflows/ci.yml');
    const versions = /node: \[(\d+), (\d+), (\d+)\]/.exec(workflow)?.slice(1);
    expect(versions).toHaveLength(3);
    expect(CONTRIBUTING).toContain(`Node.js ${versions?.slice(0, 2).join(', ')} and ${versions?.[2]}`);
    expect(workflow).toContain('run: .ci/run');
    expect(workflow).toContain('run: npm test');
    const checks = commandsOf(read('.ci/run'));
    const handIn = commandsOf(CONTRIBUTING.split('## Hand it in')[1] ?? '');
    for (const check of ['lint', 'typecheck', 'schema:check', 'codegen:check']) {
      expect(checks).toContain(check);
      expect(handIn).toContain(check);
    }
  });

  test('names the configurations of .vscode/launch.json', () => {
    const [, named = ''] = /\*Run and Debug\* has (.*?), with/s.exec(CONTRIBUTING) ?? [];
    const names = [...named.matchAll(/\*\*(.+?)\*\*/g)].map(([, name]) => name);
    const launched = (JSON.parse(read('.vscode/launch.json')).configurations as { name: string; request: string }[])
      .filter(({ request }) => request === 'launch')
      .map(({ name }) => name);
    expect(names).toEqual(launched);
  });
});

describe('.vscode', () => {
  test('its tasks are commands of package.json', () => {
    const run = tasks.flatMap(({ script }) => script ?? []);
    expect(run).toEqual(expect.arrayContaining(['test', 'lint', 'build']));
    expect(run.filter((script) => !(script in scripts))).toEqual([]);
  });

  test('its configurations start programs that are there, after tasks that are there', () => {
    const labels = tasks.map(({ label }) => label);
    expect(
      configurations.flatMap(({ preLaunchTask }) => preLaunchTask ?? []).every((task) => labels.includes(task)),
    ).toBe(true);
    const programs = configurations
      .flatMap(({ program }) => program ?? [])
      .filter((program) => !program.endsWith('{file}'));
    expect(programs).toHaveLength(2);
    expect(programs.filter((program) => !isThere(program))).toEqual([]);
  });

  test('it loads TypeScript as npm run dev does', async () => {
    const { TOOLS } = await import('../../scripts/bootstrap/tools.mjs');
    const loads = TOOLS.dev?.args.slice(1, 3);
    const ours = configurations.flatMap(({ runtimeArgs }) => (runtimeArgs ? [runtimeArgs] : []));
    expect(ours).toEqual([loads, loads]);
    expect(CONTRIBUTING).toContain(`node --inspect ${TOOLS.dev?.args.join(' ')}`);
  });
});

test('the dev container forwards the port of the service, and prepares what .ci/run needs', () => {
  const container = JSON.parse(read('.devcontainer/devcontainer.json'));
  expect(container.forwardPorts).toContain(4000);
  expect(container.postCreateCommand).toMatch(/^npm ci\b/);
  const image = read(path.join('.devcontainer', container.build.dockerfile));
  for (const program of ['redis-server', 'chromium', 'postgresql-client']) expect(image).toContain(program);
});
