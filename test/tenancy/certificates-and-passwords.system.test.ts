import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { findInstalledPostgres, startInstalledPostgres } from '../support/installed-postgres.ts';
import { describeIf } from '../support/left-out.ts';
import { findOnPath } from '../support/on-path.ts';
import { withClient } from '../support/postgres.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const SCOPE = TenantScope.ofOperatorCommand('0190c5a0-0000-7000-8000-000000000001');
const WHO = {
  model: 'Test',
  action: 'test',
  query: Prisma.sql`SELECT session_user::text AS login, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`,
};

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
  vi.unstubAllEnvs();
});

/** A server that lets the role `service` in with a password and over TLS only. */
async function startServer() {
  const server = await startInstalledPostgres(findInstalledPostgres('plpgsql') as string);
  ending.push(() => server.stop());
  const folder = makeTempFolder();
  const { certificate, key } = makeCertificate(folder, 'localhost');
  await withClient(server.url, async (client) => {
    const { data } = (await client.query<{ data: string }>("SELECT current_setting('data_directory') AS data"))
      .rows[0] as {
      data: string;
    };
    for (const [from, name] of [
      [certificate, 'server.crt'],
      [key, 'server.key'],
    ] as const)
      copyAsServer(from, path.join(data, name), data);
    const rules = path.join(data, 'pg_hba.conf');
    writeFileSync(
      rules,
      `hostssl all service all scram-sha-256\nhostnossl all service all reject\n${readFileSync(rules)}`,
    );
    await client.query('ALTER SYSTEM SET ssl = on');
    await client.query("CREATE ROLE service LOGIN PASSWORD 'first'");
    await client.query('SELECT pg_reload_conf()');
  });
  const { port } = new URL(server.url);
  await vi.waitUntil(() =>
    withClient(server.url, async (client) => (await client.query('SHOW ssl')).rows[0].ssl === 'on'),
  );
  const url = (host: string, query: string, password = '') =>
    `postgresql://service${password && `:${password}`}@${host}:${port}/postgres?${query}`;
  return { server, url, certificate, folder };
}

function makeCertificate(folder: string, name: string): { certificate: string; key: string } {
  const [certificate, key] = [path.join(folder, `${name}.crt`), path.join(folder, `${name}.key`)];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', certificate, ...subject], { stdio: 'ignore' });
  return { certificate, key };
}

function copyAsServer(from: string, to: string, data: string): void {
  copyFileSync(from, to);
  const { uid, gid } = statSync(data);
  chownSync(to, uid, gid);
  chmodSync(to, 0o600);
}

function open(url: string): TenantDatabase {
  const database = new TenantDatabase({ url, poolSize: 1, statementTimeoutMs: 5_000, takeServiceRole: false });
  ending.push(() => database.close());
  return database;
}

const isPossible = findInstalledPostgres('plpgsql') !== undefined && findOnPath('openssl') !== undefined;
describeIf(isPossible, 'apt-get install postgresql openssl', 'a server that wants TLS and a password', () => {
  test('sslmode=verify-full takes the certificate that it trusts, for the name in it, and no other', async () => {
    const { url, certificate, folder } = await startServer();
    const verifying = (host: string, root: string) => url(host, `sslmode=verify-full&sslrootcert=${root}`, 'first');
    expect(await open(verifying('localhost', certificate)).select(SCOPE, WHO)).toEqual([
      { login: 'service', ssl: true },
    ]);
    await expect(open(verifying('127.0.0.1', certificate)).select(SCOPE, WHO)).rejects.toThrow(
      /does not match certificate/,
    );
    const other = makeCertificate(folder, 'another').certificate;
    await expect(open(verifying('localhost', other)).select(SCOPE, WHO)).rejects.toThrow(/self-signed certificate/);
  });

  test('a password that was changed is read from PGPASSFILE by the next connection', async () => {
    const { server, url, certificate, folder } = await startServer();
    const file = path.join(folder, 'pgpass');
    const keep = (password: string) => writeFileSync(file, `*:*:*:service:${password}\n`, { mode: 0o600 });
    vi.stubEnv('PGPASSFILE', file);
    keep('first');
    const database = open(url('localhost', `sslmode=verify-full&sslrootcert=${certificate}`));
    expect(await database.select(SCOPE, WHO)).toEqual([{ login: 'service', ssl: true }]);
    keep('second');
    await withClient(server.url, async (client) => {
      await client.query("ALTER ROLE service PASSWORD 'second'");
      await client.query("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = 'service'");
    });
    await vi.waitFor(async () => expect(await database.select(SCOPE, WHO)).toEqual([{ login: 'service', ssl: true }]));
  });
});
