import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

import { makeTempFolder } from '../support/temp-folder.ts';

const CLONE = path.resolve(import.meta.dirname, '../..');
const ENV = { ...process.env, npm_config_offline: 'true' };

/**
 * Stand-ins for what takes long, which note that they ran. Installed by npm itself, from folders of
 * the project.
 */
const PRISMA = `
  const fs = require('node:fs');
  fs.appendFileSync('calls', 'prisma generate\\n');
  fs.mkdirSync('src/generated/prisma', { recursive: true });
  fs.writeFileSync('src/generated/prisma/client.ts', fs.readFileSync('prisma/schema.prisma'));
  if (fs.existsSync('hang')) setInterval(() => {}, 60_000);`;
const TSC = `
  const fs = require('node:fs');
  fs.appendFileSync('calls', 'tsc\\n');
  for (const folder of ['src', 'scripts', 'test/load'].filter((folder) => fs.existsSync(folder))) {
    for (const file of fs.readdirSync(folder, { recursive: true }).filter((name) => /(?<!\\.test)\\.ts$/.test(name))) {
      const text = fs.readFileSync(folder + '/' + file, 'utf8');
      if (text.includes('mistake')) { console.log(file + '(1,1): error: a mistake'); process.exitCode = 1; }
      const output = 'dist/' + folder + '/' + file.replace('.ts', '.js');
      fs.mkdirSync(require('node:path').dirname(output), { recursive: true });
      fs.writeFileSync(output, text);
    }
  }`;

const VITE = `
  const fs = require('node:fs');
  fs.appendFileSync('calls', 'vite\\n');
  fs.mkdirSync('dist/ops-page', { recursive: true });
  fs.writeFileSync('dist/ops-page/index.html', '');`;

export interface Run {
  child: ChildProcess;
  /** What it has said so far. */
  stdout(): string;
  stderr(): string;
  ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
}

export type FakeProject = ReturnType<typeof makeFakeProject>;

/**
 * One whose dependencies npm has installed, for `makeInstalledProject`; npm takes longer than all
 * the rest.
 */
export function installOnce(): FakeProject {
  const project = makeFakeProject(mkdtempSync(path.join(tmpdir(), 'tenantry-test-')));
  execFileSync(process.execPath, ['scripts/run.mjs', 'build'], { cwd: project.root, env: ENV, stdio: 'ignore' });
  return project;
}

/** As after `npm ci` by hand: nothing is generated or built. */
export function makeInstalledProject(installed: FakeProject): FakeProject {
  const project = makeFakeProject();
  const [from, to] = [installed, project].map(({ root }) => path.join(root, 'node_modules')) as [string, string];
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  return project;
}

/** A small project with the real bootstrap, whose dependencies need no network. */
export function makeFakeProject(root = makeTempFolder()) {
  for (const part of ['scripts/run.mjs', 'scripts/bootstrap', 'src/embedded', 'src/node-version.mjs']) {
    cpSync(path.join(CLONE, part), path.join(root, part), { recursive: true });
  }
  const write = (file: string, content: string | object) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
  };
  write('prisma/schema.prisma', '// the first schema');
  write('scripts/say-hello.ts', 'console.log(JSON.stringify(process.argv.slice(2)));');
  writeManifests(write, '1.0.0');
  return {
    root,
    write,
    /** As when somebody has changed the lock file. */
    lockPrisma: (version: string) => writeManifests(write, version),
    read: (file: string) => readFileSync(path.join(root, file), 'utf8'),
    has: (file: string) => existsSync(path.join(root, file)),
    calls: () =>
      existsSync(path.join(root, 'calls')) ? readFileSync(path.join(root, 'calls'), 'utf8').trim().split('\n') : [],
    start: (...args: string[]) => startRun(root, args),
    run: (...args: string[]) => startRun(root, args).ended,
  };
}

function startRun(root: string, args: string[]): Run {
  const child = spawn(process.execPath, ['scripts/run.mjs', ...args], { cwd: root, env: ENV });
  onTestFinished(() => void child.kill('SIGKILL'));
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      texts[name] += text;
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...texts }));
  return { child, stdout: () => texts.stdout, stderr: () => texts.stderr, ended };
}

function writeManifests(write: (file: string, content: string | object) => void, version: string): void {
  const engines = { node: '>=20.0.0' };
  const devDependencies = {
    prisma: 'file:vendor/prisma',
    typescript: 'file:vendor/typescript',
    vite: 'file:vendor/vite',
  };
  const prisma = { name: 'prisma', version, bin: { prisma: 'run.cjs' } };
  const typescript = { name: 'typescript', version: '1.0.0', bin: { tsc: 'run.cjs' } };
  const vite = { name: 'vite', version: '1.0.0', bin: { vite: 'run.cjs' } };
  const root = { name: 'fake', version: '1.0.0', devDependencies, engines };
  write('package.json', { ...root, type: 'module' });
  write('vendor/prisma/package.json', prisma);
  write('vendor/prisma/run.cjs', PRISMA);
  write('vendor/typescript/package.json', typescript);
  write('vendor/typescript/run.cjs', TSC);
  write('vendor/vite/package.json', vite);
  write('vendor/vite/run.cjs', VITE);
  const packages = {
    '': root,
    'node_modules/prisma': { resolved: 'vendor/prisma', link: true },
    'node_modules/typescript': { resolved: 'vendor/typescript', link: true },
    'node_modules/vite': { resolved: 'vendor/vite', link: true },
    'vendor/prisma': { ...prisma, dev: true },
    'vendor/typescript': { ...typescript, dev: true },
    'vendor/vite': { ...vite, dev: true },
  };
  write('package-lock.json', { name: 'fake', version: '1.0.0', lockfileVersion: 3, requires: true, packages });
}
