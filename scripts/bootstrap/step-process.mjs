// The programs that do the steps: npm, Prisma, the compiler.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { identityOf, isIdentityAlive } from '../../src/embedded/process-identity.mjs';
import { BootstrapError } from './errors.mjs';
import { report } from './report.mjs';

const STILL_RUNNING_MS = 15_000;
const ORPHAN_POLL_MS = 100;
/** @type {NodeJS.Signals[]} */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a step's program, silent unless it fails.
 * @param {string} root
 * @param {string} what for the messages, as `npm ci`
 * @param {string[]} args for Node.js: the program's file, then its arguments
 * @param {string} remedy what to do when it fails
 */
export async function runStep(root, what, args, remedy) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  if (child.pid) rememberChild(root, child.pid);
  const code = await untilClosed(child, what);
  rmSync(childFile(root), { force: true });
  if (code !== 0) throw new BootstrapError(`${output.trim()}\n\n${what} failed (exit code ${code}). ${remedy}`);
}

/**
 * Waits for the program of a step whose own process was killed: it goes on alone, and two of them
 * spoil each other's work.
 * @param {string} root
 */
export async function awaitOrphan(root) {
  const identity = readRemembered(root);
  if (!identity || !isIdentityAlive(identity)) return;
  report(`waiting for process ${Number.parseInt(identity, 10)}, left by a start that was killed…`);
  while (isIdentityAlive(identity)) await delay(ORPHAN_POLL_MS);
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} what
 * @returns {Promise<number | null>}
 */
async function untilClosed(child, what) {
  const began = Date.now();
  const seconds = () => Math.round((Date.now() - began) / 1000);
  const timer = setInterval(() => report(`${what} still runs (${seconds()} s)…`), STILL_RUNNING_MS);
  /** @type {NodeJS.Signals | undefined} */
  let received;
  const forward = (/** @type {NodeJS.Signals} */ signal) => {
    received = signal;
    child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, forward);
  try {
    return await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  } finally {
    clearInterval(timer);
    for (const signal of SIGNALS) process.off(signal, forward);
    if (received) process.exit(128 + constants.signals[received]);
  }
}

/**
 * @param {string} root
 * @param {number} pid
 */
function rememberChild(root, pid) {
  mkdirSync(path.dirname(childFile(root)), { recursive: true });
  writeFileSync(childFile(root), identityOf(pid));
}

/** @param {string} root */
function readRemembered(root) {
  try {
    return readFileSync(childFile(root), 'utf8');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @param {string} root */
function childFile(root) {
  return path.join(root, '.tenantry', 'bootstrap', 'child');
}
