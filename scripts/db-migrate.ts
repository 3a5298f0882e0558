import { runCommand } from '../src/cli/run-command.ts';
import { acquireEmbeddedPostgres } from '../src/embedded/index.mjs';
import { readDatabaseState } from '../src/startup/database-state.ts';
import { migrate } from '../src/startup/migrate.ts';

const SPEC = {
  name: 'db:migrate',
  summary:
    'Applies the migrations that the database of DATABASE_URL, else the embedded one, does not have yet.\n' +
    'The same as "npx prisma migrate deploy". Its login must own the tables, or be allowed to create them.',
  options: {},
} as const;

await runCommand(SPEC, async () => {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const server = process.env.DATABASE_URL
    ? { url: process.env.DATABASE_URL, release: async () => {} }
    : await acquireEmbeddedPostgres({ log: say });
  try {
    const { pendingMigrations } = await readDatabaseState(server.url);
    if (pendingMigrations.length === 0) say('The database has every migration.');
    else {
      for (const name of pendingMigrations) say(`applying ${name}`);
      await migrate(server.url);
      say('Done.');
    }
    return 0;
  } finally {
    await server.release();
  }
});
