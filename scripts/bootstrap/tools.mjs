// Commands that are programs of installed packages.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

import { programOf } from './packages.mjs';

/**
 * @typedef {object} Tool
 * @property {string} summary what it does, for --help
 * @property {string} [packageName] absent: Node.js itself
 * @property {string} [program]
 * @property {string[]} args put before those that the person gives
 * @property {Record<string, string>} [options] those that it takes, without values, each with what
 *   it does
 * @property {string} [passesOn] the arguments that the program itself checks, for --help; absent:
 *   it takes no others
 * @property {boolean} needsGeneratedCode
 * @property {boolean} [needsOpsPage]
 * @property {string} [followedBy] the command that follows when nothing in particular was asked for
 */

/** @type {NodeJS.Signals[]} */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const CODEGEN = { packageName: '@graphql-codegen/cli', program: 'graphql-codegen', needsGeneratedCode: false };
const LINT = {
  packageName: '@biomejs/biome',
  program: 'biome',
  passesOn: 'files and folders, and the options of Biome: npx biome check --help',
  needsGeneratedCode: false,
};

const VITEST = {
  packageName: 'vitest',
  program: 'vitest',
  passesOn: "parts of the test files' names, and the options of Vitest: npx vitest run --help",
  needsGeneratedCode: true,
};

/** @type {Record<string, Tool>} */
export const TOOLS = {
  test: {
    ...VITEST,
    summary: 'Runs the tests of the service, with a PostgreSQL and Redis servers of their own.',
    args: ['run', '--exclude', '**/*.system.test.ts'],
  },
  'test:system': {
    ...VITEST,
    summary: 'Runs the long tests: whole programs, npm, Prisma, browsers, servers that fail, floods, large data.',
    args: ['run', '--exclude', '**/!(*.system).test.ts'],
  },
  fuzz: {
    summary: 'Executes generated operations in every way there is, and compares the answers byte for byte.',
    args: ['--import', '@oxc-node/core/register', 'test/graphql/fuzz/command.ts'],
    passesOn: '--operations <n>, how many (10000), and --seed <n>, of the first one (1)',
    needsGeneratedCode: true,
  },
  dev: {
    summary: 'Serves GraphQL as npm start does, from the sources, and starts again when one of them changes.',
    args: ['--watch', '--import', '@oxc-node/core/register', 'src/main.ts'],
    needsGeneratedCode: true,
    needsOpsPage: true,
  },
  typecheck: {
    summary: 'Checks the types of all sources, scripts and tests.',
    packageName: 'typescript',
    program: 'tsc',
    args: ['--build', 'tsconfig.json', 'tsconfig.page.json', '--noEmit'],
    options: { '--watch': 'Check again whenever a file changes.' },
    needsGeneratedCode: true,
  },
  lint: {
    ...LINT,
    summary: 'Checks style and likely mistakes of all files, then lint:layers.',
    args: ['check'],
    followedBy: 'lint:layers',
  },
  'lint:layers': {
    summary: 'Checks that imports between the folders of src/ go down only, and never in a circle.',
    packageName: 'dependency-cruiser',
    program: 'depcruise',
    args: ['src', '--config', 'layers.mjs', '--output-type', 'err'],
    needsGeneratedCode: true,
  },
  'lint:fix': {
    ...LINT,
    summary: 'Checks style and likely mistakes as lint does, and fixes what can be fixed safely.',
    args: ['check', '--write'],
  },
  codegen: {
    ...CODEGEN,
    summary: 'Writes the typed GraphQL operations of the tests, from schema.graphql.',
    args: ['--config', 'codegen.ts'],
    options: { '--watch': 'Write them again whenever a file changes.', '--verbose': 'Say more.' },
  },
  'codegen:check': {
    ...CODEGEN,
    summary: 'Fails when the typed GraphQL operations are not what npm run codegen makes.',
    args: ['--config', 'codegen.ts', '--check'],
    options: { '--verbose': 'Say more.' },
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
