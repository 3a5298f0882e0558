import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { programOf } from './packages.mjs';
import { report } from './report.mjs';
import { hashOfFile, hasStamp, stateOf, writeStamp } from './stamp.mjs';
import { runStep } from './step-process.mjs';

/**
 * Prisma's client, from prisma/schema.prisma.
 * @type {import('./prepare.mjs').Step}
 */
export const generatedCode = {
  isFresh: (root) => hasStamp(stampIn(root), `${stateOfSources(root)} ${stateOfOutput(root)}`),

  async make(root) {
    report('generating the database client (prisma generate)…');
    const sources = stateOfSources(root);
    const remedy = 'Put prisma/schema.prisma right, or try it by hand: npx prisma generate';
    await runStep(root, 'prisma generate', [programOf(root, 'prisma', 'prisma'), 'generate'], remedy);
    mkdirSync(path.dirname(stampIn(root)), { recursive: true });
    writeStamp(stampIn(root), `${sources} ${stateOfOutput(root)}`);
  },
};

/** @param {string} root */
function stateOfSources(root) {
  return ['prisma/schema.prisma', 'node_modules/prisma/package.json']
    .map((file) => hashOfFile(path.join(root, file)))
    .join(' ');
}

/**
 * Counts too, since somebody may have generated it from another schema, or deleted it.
 * @param {string} root
 */
function stateOfOutput(root) {
  return stateOf(path.join(root, 'src/generated/prisma'));
}

/**
 * Not beside the output, which Prisma empties.
 * @param {string} root
 */
function stampIn(root) {
  return path.join(root, '.tenantry', 'bootstrap', 'generated');
}
