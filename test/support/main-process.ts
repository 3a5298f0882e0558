import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { builtFrom } from './built.ts';
import { findFreePort } from './free-port.ts';
import { createTestDatabase, type TestDatabase, withClient } from './postgres.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const POLL_MS = 20;

/** The service as `npm start` runs it. */
export interface MainProcess {
  readonly url: string;
  readonly pid: number;
  /** What it wrote so far, to stderr and to its log. */
  output(): string;
  /** Resolves when it is ready. @throws with what it wrote when it ends instead */
  untilReady(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/**
 * Starts it on a free port, or on the one of `env`. It ends with this process at the latest.
 * @param built the program of another repository; absent: that of this one, built where it is old
 */
export async function startMain(env: Readonly<Record<string, string>>, built?: string): Promise<MainProcess> {
  const program = built ?? (await builtFrom('src/main.ts'));
  const port = env.PORT ?? String(await findFreePort());
  const { PATH, HOME } = process.env;
  const child: ChildProcess = spawn(process.execPath, [program], {
    cwd: ROOT,
    env: { PATH, HOME, HOST: '127.0.0.1', AUTH_SECRET: MAIN_SECRET, WARM_UP: 'off', ...env, PORT: port },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const killWithUs = () => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const ended = once(child, 'exit').then(([code, signal]) => {
    process.off('exit', killWithUs);
    return { code, signal };
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    pid: child.pid as number,
    output: () => output,
    signal: (name) => void child.kill(name),
    ended,
    async untilReady() {
      while (!(await isReady(url))) {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
  };
}

/** A test database as the service finds one. */
export async function createMainDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  await listMigrations(database.url);
  return database;
}

/** Has Prisma's list say that a database is migrated, which a copy of the template lacks. */
export async function listMigrations(url: string): Promise<void> {
  const names = readdirSync(path.join(ROOT, 'prisma/migrations'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  await withClient(url, async (client) => {
    // Two processes may be started at once.
    await client.query("BEGIN; SELECT pg_advisory_xact_lock(hashtext('_prisma_migrations'))");
    await client.query(
      'CREATE TABLE IF NOT EXISTS _prisma_migrations (migration_name text, finished_at timestamptz, rolled_back_at timestamptz)',
    );
    await client.query('GRANT SELECT ON _prisma_migrations TO PUBLIC');
    await client.query('INSERT INTO _prisma_migrations SELECT unnest($1::text[]), now(), NULL', [names]);
    await client.query('COMMIT');
  });
}

/** Signs tokens that these processes take. */
export const MAIN_SECRET = 'a secret for tests only, of more than 32 bytes';

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/ready`)).ok;
  } catch {
    return false; // not listening yet
  }
}
