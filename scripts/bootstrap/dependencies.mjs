import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { BootstrapError } from './errors.mjs';
import { report } from './report.mjs';
import { hashOfFile, hasStamp, stateOf, writeStamp } from './stamp.mjs';
import { runStep } from './step-process.mjs';

/**
 * @typedef {object} LockedPackage
 * @property {string} [version]
 * @property {string} [integrity]
 * @property {boolean} [optional]
 * @property {boolean} [devOptional]
 */

/**
 * The packages that package-lock.json names, the development ones included.
 * @type {import('./prepare.mjs').Step}
 */
export const dependencies = {
  isFresh(root) {
    const state = stateOfInstallation(root);
    if (hasStamp(stampIn(root), state)) return true;
    // Somebody ran npm by hand, perhaps: what counts is what is there.
    if (!existsSync(installedList(root)) || !isInstalled(root)) return false;
    writeStamp(stampIn(root), state);
    return true;
  },

  async make(root) {
    report(`installing dependencies (npm ci)${existsSync(installedList(root)) ? '' : ', first time only'}…`);
    const flags = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
    const remedy = 'Is the package registry within reach, and is the disk not full? Then try it by hand: npm ci';
    await runStep(root, 'npm ci', [npmProgram(), ...flags], remedy);
    writeStamp(stampIn(root), stateOfInstallation(root));
  },
};

/**
 * npm's own list of what it has put into node_modules is compared with the lock file, package by
 * package.
 * @param {string} root
 */
function isInstalled(root) {
  const wanted = packagesIn(path.join(root, 'package-lock.json'));
  const found = packagesIn(installedList(root));
  const surplus = Object.keys(found).some((name) => !wanted[name]);
  return !surplus && Object.entries(wanted).every(([name, locked]) => name === '' || isSame(locked, found[name]));
}

/**
 * @param {LockedPackage} locked
 * @param {LockedPackage | undefined} found
 */
function isSame(locked, found) {
  // Optional ones are left out where they are made for another system.
  if (!found) return Boolean(locked.optional || locked.devOptional);
  return found.version === locked.version && found.integrity === locked.integrity;
}

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage>}
 */
function packagesIn(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

/** @param {string} root */
function stateOfInstallation(root) {
  const lock = hashOfFile(path.join(root, 'package-lock.json'));
  return `${lock} ${stateOf(installedList(root))} ${process.platform}-${process.arch}`;
}

/** @param {string} root */
function installedList(root) {
  return path.join(root, 'node_modules', '.package-lock.json');
}

/** @param {string} root */
function stampIn(root) {
  return path.join(root, 'node_modules', '.tenantry-stamp');
}

/** The npm that runs this script, else the one that came with this Node.js. */
function npmProgram() {
  const beside = path.dirname(process.execPath);
  const places = [
    process.env.npm_execpath ?? '',
    path.join(beside, '../lib/node_modules/npm/bin/npm-cli.js'),
    path.join(beside, 'node_modules/npm/bin/npm-cli.js'),
  ];
  const program = places.find((file) => path.basename(file) === 'npm-cli.js' && existsSync(file));
  if (!program)
    throw new BootstrapError(`npm was not found beside ${process.execPath}. Install the dependencies: npm ci`);
  return program;
}
