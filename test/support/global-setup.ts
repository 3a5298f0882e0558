import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { acquireEmbeddedPostgres, removeEmbeddedPostgres } from '../../src/embedded/index.mjs';
import { identityOf, isIdentityAlive } from '../../src/embedded/process-identity.mjs';
import { createTemplate } from './template.ts';

const RUNS_DIRECTORY = path.resolve(import.meta.dirname, '../../.tenantry/test');

/** Nothing the tests write has to outlive them: no waiting for the disk. */
const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  // What a connection maps costs at its start: tests open thousands.
  shared_buffers: '32MB',
  // Statistics, and with them plans, change when a test says so; and nobody tidies databases that
  // are soon dropped.
  autovacuum: 'off',
  jit: 'off',
};

/**
 * One PostgreSQL for this run of the tests, in a folder of its own, so that runs side by side do
 * not meet. Its address goes to the tests in TENANTRY_TEST_ADMIN_URL; where that is set already,
 * the server it names is used.
 */
export default async function setUp(): Promise<() => Promise<void>> {
  await removeDeadRuns();
  const given = process.env.TENANTRY_TEST_ADMIN_URL;
  const server = given ? { url: given, release: async () => {} } : await startOwn();
  process.env.TENANTRY_TEST_ADMIN_URL = server.url;
  const template = await createTemplate();
  process.env.TENANTRY_TEST_TEMPLATE = template.name;
  return async () => {
    if (given) await template.drop();
    await server.release();
    await removeEmbeddedPostgres({ directory: ownDirectory() });
  };
}

function startOwn() {
  const log = (line: string) => process.stderr.write(`[tests] ${line}\n`);
  return acquireEmbeddedPostgres({ directory: ownDirectory(), settings: SETTINGS, log });
}

function ownDirectory(): string {
  return path.join(RUNS_DIRECTORY, identityOf());
}

/** Those whose process was killed: their server may still run. */
async function removeDeadRuns(): Promise<void> {
  mkdirSync(RUNS_DIRECTORY, { recursive: true });
  for (const run of readdirSync(RUNS_DIRECTORY).filter((name) => !isIdentityAlive(name))) {
    await removeEmbeddedPostgres({ directory: path.join(RUNS_DIRECTORY, run) });
  }
}
