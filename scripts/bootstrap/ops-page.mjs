import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { programOf } from './packages.mjs';
import { report } from './report.mjs';
import { hashOfFile, hasStamp, stateOf, writeStamp } from './stamp.mjs';
import { runStep } from './step-process.mjs';

const SOURCES = 'src/ops/page';
const OUTPUT = 'dist/ops-page';

/**
 * The page for operators, which the service serves at /ops.
 * @type {import('./prepare.mjs').Step}
 */
export const opsPage = {
  isFresh: (root) => hasStamp(stampIn(root), stateOfSources(root)),

  async make(root) {
    report('building the page for operators (vite)…');
    const state = stateOfSources(root);
    const remedy = `Put ${SOURCES} right; npm run typecheck checks it again.`;
    const args = ['build', SOURCES, '--logLevel', 'error'];
    await runStep(root, 'The build of the page', [programOf(root, 'vite', 'vite'), ...args], remedy);
    mkdirSync(path.join(root, OUTPUT), { recursive: true });
    writeStamp(stampIn(root), state);
  },
};

/** @param {string} root */
function stateOfSources(root) {
  return [stateOf(path.join(root, SOURCES)), hashOfFile(path.join(root, 'package-lock.json'))].join(' ');
}

/** @param {string} root */
function stampIn(root) {
  return path.join(root, OUTPUT, '.tenantry-stamp');
}
