// Commands that are programs of installed packages.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

import { programOf } from './packages.mjs';

/**
 * @typedef {object} Tool
 * @property {string} [packageName] absent: Node.js itself
 * @property {string} [program]
 * @property {string[]} args put before those that the person gives
 * @property {boolean} needsGeneratedCode
 */

/** @type {NodeJS.Signals[]} */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const CODEGEN = { packageName: '@graphql-codegen/cli', program: 'graphql-codegen', needsGeneratedCode: false };

/** @type {Record<string, Tool>} */
export const TOOLS = {
  test: { packageName: 'vitest', program: 'vitest', args: ['run'], needsGeneratedCode: true },
  dev: { args: ['--watch', '--import', '@oxc-node/core/register', 'src/main.ts'], needsGeneratedCode: true },
  typecheck: {
    packageName: 'typescript',
    program: 'tsc',
    args: ['--noEmit', '-p', 'tsconfig.json'],
    needsGeneratedCode: true,
  },
  lint: { packageName: '@biomejs/biome', program: 'biome', args: ['check'], needsGeneratedCode: false },
  codegen: { ...CODEGEN, args: ['--config', 'codegen.ts'] },
  'codegen:check': { ...CODEGEN, args: ['--config', 'codegen.ts', '--check'] },
  'lint:fix': {
    packageName: '@biomejs/biome',
    program: 'biome',
    args: ['check', '--write'],
    needsGeneratedCode: false,
  },
};

/**
 * Runs it in the terminal, to its end.
 * @param {string} root
 * @param {Tool} tool
 * @param {string[]} args
 * @returns {Promise<number>} its exit code
 */
export function runTool(root, { packageName, program, args: fixed }, args) {
  const file = packageName && program ? [programOf(root, packageName, program)] : [];
  const child = spawn(process.execPath, [...file, ...fixed, ...args], { cwd: root, stdio: 'inherit' });
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // A terminal's Ctrl-C reaches the program by itself; our part is to stay until it has ended.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGTERM']));
  });
}
