import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { findFreePort } from './free-port.ts';

/** Where Debian and Ubuntu have theirs, one folder for each version. */
const PROGRAMS = '/usr/lib/postgresql';
const EXTENSIONS = '/usr/share/postgresql';

const FLAGS = '-c fsync=off -c full_page_writes=off -c unix_socket_directories=';

/**
 * A server of its own from the system's packages: the embedded one has no extensions beyond
 * PostgreSQL's own.
 */
export interface InstalledPostgres {
  /** As the superuser. */
  readonly url: string;
  /**
   * Ends all connections. From then on it is a hot standby, which waits for a primary server's log.
   */
  restartAsReplica(): void;
  /** A copy of its files, as a server of its own. */
  copy(): InstalledPostgres;
  stop(): void;
}

/**
 * The folder of the programs of the newest version that has the extension; undefined where there is
 * none.
 */
export function findInstalledPostgres(extension: string): string | undefined {
  const versions = existsSync(PROGRAMS) ? readdirSync(PROGRAMS) : [];
  const has = (version: string) => existsSync(path.join(EXTENSIONS, version, 'extension', `${extension}.control`));
  const version = versions.filter(has).sort((a, b) => Number(b) - Number(a))[0];
  return version && path.join(PROGRAMS, version, 'bin');
}

/**
 * @param programs as `findInstalledPostgres` gave it
 * @param settings for postgresql.conf; a copy of the server has them, too
 */
export async function startInstalledPostgres(
  programs: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<InstalledPostgres> {
  const ports = [await findFreePort(), await findFreePort()] as const;
  const data = newFolder();
  runAs(data, programs, 'initdb', '-D', data, '--username', 'postgres', '--auth', 'trust', '--no-sync');
  for (const [name, value] of Object.entries(settings))
    appendFileSync(path.join(data, 'postgresql.conf'), `${name} = '${value}'\n`);
  return startServer(programs, data, ...ports);
}

/** @param copyPort for a copy of it */
function startServer(programs: string, data: string, port: number, copyPort: number): InstalledPostgres {
  const run = (program: string, ...args: string[]) => runAs(data, programs, program, '-D', data, ...args);
  const options = `${FLAGS} -c listen_addresses=127.0.0.1 -c port=${port}`;
  const start = () => run('pg_ctl', '--wait', '--log', path.join(data, 'log'), '--options', options, 'start');
  const stop = (mode: string) => run('pg_ctl', '--wait', '--mode', mode, 'stop');
  start();
  return {
    url: `postgresql://postgres@127.0.0.1:${port}/postgres`,
    restartAsReplica() {
      stop('fast');
      const signal = path.join(data, 'standby.signal');
      writeFileSync(signal, '');
      const { uid, gid } = statSync(data);
      chownSync(signal, uid, gid);
      start();
    },
    copy() {
      const copied = newFolder();
      const from = ['--host', '127.0.0.1', '--port', String(port), '--username', 'postgres'];
      runAs(copied, programs, 'pg_basebackup', '-D', copied, ...from, '--checkpoint', 'fast', '--no-sync');
      return startServer(programs, copied, copyPort, port);
    },
    stop() {
      stop('immediate');
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function newFolder(): string {
  return mkdtempSync(path.join(tmpdir(), 'tenantry-test-postgres-'));
}

function runAs(data: string, programs: string, program: string, ...args: string[]): void {
  execFileSync(path.join(programs, program), args, { cwd: '/', stdio: 'ignore', ...asServerUser(data) });
}

/** PostgreSQL refuses to run as root; its package has made a user for it. */
function asServerUser(data: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'])));
  if (uid === undefined || gid === undefined || Number.isNaN(uid)) return {};
  if (statSync(data).uid !== uid) chownSync(data, uid, gid);
  return { uid, gid };
}
