import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type FakeProject, installOnce, makeFakeProject, makeInstalledProject } from './fake-project.ts';

const INSTALLING = '[tenantry] installing dependencies (npm ci)';
const FIRST_INSTALLING = `${INSTALLING}, first time only…\n`;
const GENERATING = '[tenantry] generating the database client (prisma generate)…\n';
const BUILDING = '[tenantry] building (tsc)…\n';
const BUILDING_PAGE = '[tenantry] building the page for operators (vite)…\n';

let installed: FakeProject;

beforeAll(() => {
  installed = installOnce();
});
afterAll(() => rmSync(installed.root, { recursive: true, force: true }));

test('makes what is missing, says so on stderr, and leaves stdout to the command', async () => {
  const project = makeFakeProject();
  const first = await project.run('say:hello', '--name', 'Anna Bell');
  expect(first).toMatchObject({ code: 0, stdout: '["--name","Anna Bell"]\n' });
  expect(first.stderr).toBe(FIRST_INSTALLING + GENERATING + BUILDING + BUILDING_PAGE);

  const second = await project.run('say:hello', '--help');
  expect(second).toMatchObject({ code: 0, stdout: '["--help"]\n', stderr: '' });
  expect(project.calls()).toEqual(['prisma generate', 'tsc', 'vite']);
});

test('does each step once when two commands find it undone at the same moment', async () => {
  const project = makeFakeProject();
  const runs = await Promise.all([project.run('say:hello', 'a'), project.run('say:hello', 'b')]);
  expect(runs.map((run) => run.stdout)).toEqual(['["a"]\n', '["b"]\n']);
  const said = runs.map((run) => run.stderr).sort((one, other) => one.length - other.length);
  expect(said[0]).toMatch(/^\[tenantry\] waiting for process \d+, which prepares the project…\n$/);
  expect(said[1]).toBe(FIRST_INSTALLING + GENERATING + BUILDING + BUILDING_PAGE);
  expect(project.calls()).toEqual(['prisma generate', 'tsc', 'vite']);
});

test('installs again when the lock file asks for something else', async () => {
  const project = makeInstalledProject(installed);
  await project.run('say:hello');
  project.lockPrisma('2.0.0');
  expect((await project.run('say:hello')).stderr).toContain(`${INSTALLING}…\n`);
  expect((await project.run('say:hello')).stderr).toBe('');
});

test('does not install again what somebody has installed by hand', async () => {
  const project = makeInstalledProject(installed);
  await project.run('say:hello');
  rmSync(path.join(project.root, 'node_modules/.tenantry-stamp'));
  expect((await project.run('say:hello')).stderr).toBe('');
});

test('generates again when the schema has changed, and when the output is gone', async () => {
  const project = makeInstalledProject(installed);
  await project.run('say:hello');
  project.write('prisma/schema.prisma', '// the second schema');
  expect((await project.run('say:hello')).stderr).toBe(GENERATING + BUILDING);
  expect(project.read('src/generated/prisma/client.ts')).toBe('// the second schema');
  rmSync(path.join(project.root, 'src/generated'), { recursive: true });
  expect((await project.run('say:hello')).stderr).toBe(GENERATING + BUILDING);
});

test('builds again when a source has changed, and removes what no source stands for', async () => {
  const project = makeInstalledProject(installed);
  project.write('scripts/old.ts', 'console.log("old");');
  await project.run('old');
  rmSync(path.join(project.root, 'scripts/old.ts'));
  project.write('scripts/say-hello.ts', 'console.log("hello");');
  expect(await project.run('say:hello')).toMatchObject({ stdout: 'hello\n', stderr: BUILDING });
  expect(project.has('dist/scripts/old.js')).toBe(false);
  expect(await project.run('old')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There is no command "old".'),
  });
});

test('builds again when what a load command runs has changed, and what was built of the rest is kept', async () => {
  const project = makeInstalledProject(installed);
  project.write('scripts/bench.ts', "await import('../test/load/bench.js');");
  project.write('test/load/bench.ts', 'console.log("first");');
  project.write('test/load/bench.test.ts', 'a test, which is not built');
  expect(await project.run('bench')).toMatchObject({ stdout: 'first\n' });
  project.write('dist/.tsbuildinfo', 'of the compiler');
  project.write('test/load/bench.ts', 'console.log("second");');
  expect(await project.run('bench')).toMatchObject({ stdout: 'second\n', stderr: BUILDING });
  expect(project.has('dist/.tsbuildinfo')).toBe(true);
});

test('builds the page for operators again when a source of it has changed', async () => {
  const project = makeInstalledProject(installed);
  project.write('src/ops/page/main.tsx', 'first');
  await project.run('say:hello');
  project.write('src/ops/page/main.tsx', 'the second');
  expect((await project.run('say:hello')).stderr).toContain(BUILDING_PAGE);
  expect((await project.run('say:hello')).stderr).toBe('');
});

test('shows what a failing build said and what to do, and does not run the command', async () => {
  const project = makeInstalledProject(installed);
  project.write('scripts/say-hello.ts', 'mistake');
  for (const _ of ['first', 'second']) {
    const failed = await project.run('say:hello');
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toContain(
      'say-hello.ts(1,1): error: a mistake\n\nThe build failed (exit code 1). Put the code right',
    );
  }
  project.write('scripts/say-hello.ts', 'console.log("hello");');
  expect(await project.run('say:hello')).toMatchObject({
    code: 0,
    stdout: 'hello\n',
    stderr: BUILDING + BUILDING_PAGE,
  });
});

test('shows what npm said when it cannot install', async () => {
  const project = makeFakeProject();
  project.write('package-lock.json', '{ "lockfileVersion": 3, "packages": {} }');
  const failed = await project.run('say:hello');
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  expect(failed.stderr).toMatch(/npm ci failed \(exit code 1\)\. Is the package registry within reach/);
});

/** Resolves when the program of the step that runs is remembered: it says that it runs before. */
function childIsRemembered({ root, read }: Pick<ReturnType<typeof makeInstalledProject>, 'root' | 'read'>) {
  const file = '.tenantry/bootstrap/child';
  return expect.poll(() => (existsSync(path.join(root, file)) ? read(file) : '')).toMatch(/^\d/);
}

test('goes on where a killed command left off, after what that had started has ended', async () => {
  const project = makeInstalledProject(installed);
  project.write('hang', '');
  const killed = project.start('say:hello');
  await expect.poll(() => project.calls()).toEqual(['prisma generate']);
  await childIsRemembered(project);
  killed.child.kill('SIGKILL');
  rmSync(path.join(project.root, 'hang'));

  const next = project.start('say:hello');
  await expect.poll(next.stderr).toMatch(/waiting for process \d+, left by a start that was killed/);
  const left = Number(/waiting for process (\d+), left/.exec(next.stderr())?.[1]);
  expect(project.calls()).toEqual(['prisma generate']);
  process.kill(left, 'SIGKILL');
  expect(await next.ended).toMatchObject({ code: 0, stdout: '[]\n' });
  expect(project.calls()).toEqual(['prisma generate', 'prisma generate', 'tsc', 'vite']);
});

test('ends the step it is at when it is told to end', async () => {
  const project = makeInstalledProject(installed);
  project.write('hang', '');
  const run = project.start('say:hello');
  await expect.poll(() => project.calls()).toEqual(['prisma generate']);
  await childIsRemembered(project);
  const pid = Number.parseInt(project.read('.tenantry/bootstrap/child'), 10);
  run.child.kill('SIGTERM');
  expect(await run.ended).toMatchObject({ code: 143 });
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('tells a command to end when npm and its shell have ended without handing a signal on', async () => {
  const project = makeFakeProject();
  project.write(
    'scripts/serve.ts',
    "process.on('SIGTERM', () => process.exit(console.log('told') ?? 0)); setInterval(() => {}, 1_000); console.log('up');",
  );
  await project.run('build');
  const shell = spawn('sh', ['-c', `'${process.execPath}' scripts/run.mjs serve; exit`], {
    cwd: project.root,
    env: { ...process.env, npm_lifecycle_event: 'serve' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [up] = await once(shell.stdout.setEncoding('utf8'), 'data');
  expect(up).toBe('up\n');
  shell.kill('SIGTERM');
  expect(await text(shell.stdout)).toBe('told\n');
});

test('takes settings from .env, over which what is set wins', async () => {
  const project = makeInstalledProject(installed);
  project.write('scripts/say-settings.ts', 'console.log(process.env.TENANTRY_FILE, process.env.HOME);');
  expect(await project.run('say:settings')).toMatchObject({ stdout: `undefined ${process.env.HOME}\n` });
  project.write('.env', 'TENANTRY_FILE="of the file"\nHOME=/nowhere\n');
  expect(await project.run('say:settings')).toMatchObject({ stdout: `of the file ${process.env.HOME}\n` });
  rmSync(path.join(project.root, '.env'));
  project.write('.env/not-a-file', '');
  expect(await project.run('say:settings')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/\.env cannot be read: .+\nMake it readable, or remove it\.\n/),
  });
});

test('names the commands there are when there is none of the name given', async () => {
  const project = makeFakeProject();
  const { code, stderr } = await project.run('../say-hello');
  expect(code).toBe(1);
  expect(stderr).toContain('There is no command "../say-hello".\nCommands: build, ');
  expect(stderr).toContain(' say:hello, start, ');
  expect(project.has('node_modules')).toBe(false);
});
