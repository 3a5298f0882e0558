import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that is removed, with all in it, when the running test has finished. */
export function makeTempFolder(): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'tenantry-test-')));
  // As a clone's usually is: the tests' PostgreSQL may run as another user, who has to enter it.
  chmodSync(folder, 0o755);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
