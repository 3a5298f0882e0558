import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findFreePort } from './free-port.ts';
import { findOnPath } from './on-path.ts';

/**
 * A pooler before PostgreSQL that drops the options which a connection starts with, as one must be
 * told to.
 */
export interface Pooler {
  /** As the superuser, whatever the login. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * What PGBOUNCER names, or what is installed. Debian's package puts it where only administrators
 * look.
 */
export function findPgbouncer(): string | undefined {
  return process.env.PGBOUNCER ?? findOnPath('pgbouncer') ?? ['/usr/sbin/pgbouncer'].find(existsSync);
}

/** Whether it is there and keeps prepared statements in transaction mode, as from 1.21 on. */
export function keepsPreparedStatements(): boolean {
  const program = findPgbouncer();
  if (program === undefined) return false;
  const version = /^PgBouncer (\d+)\.(\d+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }));
  if (!version) throw new Error(`${program} --version does not tell a version of PgBouncer`);
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > 1 || minor >= 21;
}

/**
 * @param mode after what a session of PostgreSQL is lent to the next client
 * @param preparedStatements how many it keeps for each session in transaction mode: none unless it
 *   says so
 */
export async function startPgbouncer(
  databaseUrl: string,
  mode: 'session' | 'transaction',
  preparedStatements = 0,
): Promise<Pooler> {
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  const listenPort = await findFreePort();
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantry-test-pgbouncer-'));
  const file = path.join(folder, 'pgbouncer.ini');
  const login = `user=${username}${password && ` password=${decodeURIComponent(password)}`}`;
  writeFileSync(
    file,
    `[databases]
* = host=${hostname} port=${port} ${login}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
ignore_startup_parameters = options,extra_float_digits
default_pool_size = 5
${keepsPreparedStatements() ? `max_prepared_statements = ${preparedStatements}` : ''}
`,
  );
  chmodSync(folder, 0o755);
  const child = spawn(findPgbouncer() as string, [file], { stdio: ['ignore', 'ignore', 'pipe'], ...ordinaryUser() });
  const ended = once(child, 'exit');
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (log.includes('process up')) resolve();
    });
    child.once('exit', () => reject(new Error(`pgbouncer did not start:\n${log}`)));
    child.once('error', reject);
  });
  return {
    url: `postgresql://${username}@127.0.0.1:${listenPort}${pathname}`,
    async stop() {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** It refuses to run as root. */
function ordinaryUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'nobody'])));
  return { uid: uid as number, gid: gid as number };
}
