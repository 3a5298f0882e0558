import path from 'node:path';

import { build } from '../../scripts/bootstrap/build.mjs';
import { opsPage } from '../../scripts/bootstrap/ops-page.mjs';
import { prepare } from '../../scripts/bootstrap/prepare.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** Under way in this process. */
let preparing: Promise<void> | undefined;

/**
 * A program of this project as `npm run` runs it, for a process of its own. It is built anew where
 * a source has changed since: by the first test that asks, while the others wait. To transform the
 * sources in each process takes as long again as to load them.
 * @param source its path in this project, as `src/main.ts`
 */
export async function builtFrom(source: string): Promise<string> {
  preparing ??= prepare(ROOT, [build]).finally(() => {
    preparing = undefined;
  });
  await preparing;
  return path.join(ROOT, 'dist', source.replace(/\.ts$/, '.js'));
}

/** The page for operators, for services that are started afterwards. */
export const buildOpsPage = (): Promise<void> => prepare(ROOT, [opsPage]);
