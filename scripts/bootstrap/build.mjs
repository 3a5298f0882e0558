import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { programOf } from './packages.mjs';
import { report } from './report.mjs';
import { filesIn, hashOfFile, hasStamp, stateOf, writeStamp } from './stamp.mjs';
import { runStep } from './step-process.mjs';

/** What tsconfig.build.json includes; without the tests and the page for operators. */
const SOURCE_FOLDERS = ['src', 'scripts', 'test/load'];
const NOT_COMPILED = /\.test\.ts$|\bsrc[/\\]ops[/\\]page[/\\]/;

/**
 * The compiled service and commands, in dist.
 * @type {import('./prepare.mjs').Step}
 */
export const build = {
  isFresh: (root) => hasStamp(stampIn(root), stateOfSources(root)),

  async make(root) {
    report('building (tsc)…');
    const state = stateOfSources(root);
    removeStale(root);
    const remedy = 'Put the code right; npm run typecheck checks it again.';
    await runStep(root, 'The build', [programOf(root, 'typescript', 'tsc'), '-p', 'tsconfig.build.json'], remedy);
    mkdirSync(path.join(root, 'dist'), { recursive: true });
    writeStamp(stampIn(root), state);
  },
};

/**
 * The output of sources that are gone would still be found by whoever lists a folder or imports by
 * name. An output that is missing makes the compiler begin anew: it only looks at the sources.
 * @param {string} root
 */
function removeStale(root) {
  const expected = new Set(
    SOURCE_FOLDERS.flatMap((folder) => filesIn(path.join(root, folder)))
      .filter((file) => !NOT_COMPILED.test(file))
      .map((file) => outputOf(root, file)),
  );
  for (const file of SOURCE_FOLDERS.flatMap((folder) => filesIn(path.join(root, 'dist', folder)))) {
    if (!expected.has(file.replace(/\.map$/, ''))) rmSync(file);
  }
  if ([...expected].some((file) => file.endsWith('.js') && !existsSync(file))) {
    rmSync(path.join(root, 'dist', '.tsbuildinfo'), { force: true });
  }
}

/**
 * @param {string} root
 * @param {string} source
 */
function outputOf(root, source) {
  return path.join(root, 'dist', path.relative(root, source)).replace(/\.ts$/, '.js');
}

/** @param {string} root */
function stateOfSources(root) {
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json'];
  const hashes = settings.map((file) => hashOfFile(path.join(root, file)));
  return [...hashes, ...SOURCE_FOLDERS.map((folder) => stateOf(path.join(root, folder)))].join(' ');
}

/** @param {string} root */
function stampIn(root) {
  return path.join(root, 'dist', '.tenantry-stamp');
}
