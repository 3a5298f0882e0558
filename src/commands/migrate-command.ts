import { recordAction } from '../audit/operator-line.ts';
import type { CommandSpec } from '../cli/command-line.ts';
import { refuseDuringMigration, refuseReadOnly } from '../cli/write-guard.ts';
import { pendingMigrations } from '../database/database-state.ts';
import { migrate } from '../database/migrate.ts';
import { reportOf, rightsOf } from '../database/role-rights.ts';
import { SERVICE_ROLE } from '../database/service-rights.ts';
import { acquireEmbeddedPostgres } from '../embedded/index.mjs';
import { refuseDuringCreation } from '../indexes/change-guard.ts';
import { connect, databaseUrl, isMissingDatabase, refuseInProduction } from './command-database.ts';

export const MIGRATE = {
  name: 'db:migrate',
  summary:
    'Applies the migrations that the database of DATABASE_URL, else the embedded one, does not have yet; makes the database\n' +
    'when there is none. The same as "npx prisma migrate deploy", but it also says what the service\'s role lacks then, as db:grant does.\n' +
    'Its login must own the tables, or be a member of the role that does, or be allowed to create them.',
  options: {},
} as const satisfies CommandSpec;

/** @param say told what is done */
export async function migrateCommand(say: (line: string) => void): Promise<number> {
  const url = databaseUrl();
  if (!url) refuseInProduction();
  const server = url ? { url, release: async () => {} } : await acquireEmbeddedPostgres({ log: say });
  try {
    const pending = await pendingIn(server.url);
    if (pending?.length === 0) {
      say('The database has every migration.');
      return 0;
    }
    for (const name of pending ?? ['every migration, to a new database']) say(`applying ${name}`);
    await migrate(server.url);
    await recordMigration(server.url, pending ?? []);
    for (const line of await leftToGrant(server.url)) say(line);
    say('Done.');
    return 0;
  } finally {
    await server.release();
  }
}

/** What the migrations could not settle, in one line each. */
async function leftToGrant(url: string): Promise<string[]> {
  const client = await connect(url, MIGRATE.name);
  try {
    const rights = await rightsOf(client, SERVICE_ROLE);
    if (!rights)
      return [`There is no role ${SERVICE_ROLE}: make one for the service, then npm run db:grant -- --role <it>`];
    const lines = reportOf(rights);
    const isAdministrators = rights.administrators && !rights.lacks.length && !rights.surplus.length;
    return lines.length && !isAdministrators ? [...lines, `Fix it: npm run db:grant -- --role ${SERVICE_ROLE}`] : lines;
  } finally {
    await client.end();
  }
}

/** After them, since one of them makes the log. */
async function recordMigration(url: string, applied: readonly string[]): Promise<void> {
  const client = await connect(url, MIGRATE.name);
  try {
    await recordAction(client, { action: MIGRATE.name, tenantId: null, key: applied.at(-1) ?? null });
  } finally {
    await client.end();
  }
}

/**
 * @returns the migrations to apply; undefined when there is no such database: Prisma creates it
 * @throws OperatorError when there are some and they cannot be applied now
 */
async function pendingIn(url: string): Promise<readonly string[] | undefined> {
  const client = await connect(url, MIGRATE.name).catch((error) => {
    if (isMissingDatabase(error)) return undefined;
    throw error;
  });
  if (!client) return undefined;
  try {
    const pending = await pendingMigrations(client);
    if (pending.length === 0) return pending;
    await refuseReadOnly(client);
    await refuseDuringMigration(client);
    await refuseDuringCreation(client);
    return pending;
  } finally {
    await client.end();
  }
}
