import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTokenVerifier } from '../../src/auth/token-verifier.ts';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { issueToken, TOKEN_COMMAND } from '../../src/commands/token-command.ts';
import { readConfig } from '../../src/config/config.ts';
import { findRunningEmbeddedPostgres } from '../../src/embedded/index.mjs';
import { OperatorError } from '../../src/errors.ts';
import { builtFrom } from '../support/built.ts';
import { withClient } from '../support/postgres.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { createTenants, type TenantsFixture } from './tenants-fixture.ts';

let tenants: TenantsFixture;
let acmeId: string;
beforeAll(async () => {
  tenants = await createTenants();
  acmeId = await tenants.addTenant('acme');
});
afterAll(() => tenants.close());

function settings(env: NodeJS.ProcessEnv = {}) {
  return readConfig({ DATABASE_URL: tenants.url, AUTH_SECRET: 'a secret of this test, longer than 32 bytes', ...env });
}

async function run(argv: string[], env: NodeJS.ProcessEnv = {}, findEmbedded?: () => Promise<string>): Promise<string> {
  const line = parseCommandLine(TOKEN_COMMAND, argv);
  if (line === 'help') throw new Error('--help was not asked for');
  return issueToken(settings(env), line, findEmbedded);
}

const failure = (argv: string[], env?: NodeJS.ProcessEnv) => run(argv, env).catch((error) => error);

test('issues a token for the role in the tenant, naming the tenant by its id', async () => {
  const token = await run([
    '--tenant',
    'acme',
    '--role',
    'ADMIN',
    '--name',
    'Ann',
    '--subject',
    'u1',
    '--expires',
    '2h',
  ]);
  const { auth, production } = settings();
  const caller = await createTokenVerifier(auth, production, tenants.directory()).verify(token);
  expect(caller).toMatchObject({ subject: 'u1', name: 'Ann', role: 'ADMIN', tenant: { slug: 'acme' } });
  const { tenant, iat = 0, exp } = decodeJwt(token);
  expect(tenant).toBe(acmeId);
  expect(exp).toBe(iat + 7200);
});

test('issues the token of a viewer for twelve hours unless it is told otherwise', async () => {
  const { iat = 0, ...claims } = decodeJwt(await run(['--tenant', 'acme']));
  expect(claims).toMatchObject({ sub: 'local-viewer', name: 'local-viewer', role: 'VIEWER', exp: iat + 12 * 3600 });
});

test('issues an operator’s token without a tenant, and without a database', async () => {
  const nowhere = { DATABASE_URL: 'postgresql://127.0.0.1:1/none' };
  for (const argv of [
    ['--role', 'OPERATOR'],
    ['--role', 'operator', '--tenant', 'acme'],
  ])
    expect(decodeJwt(await run(argv, nowhere))).not.toHaveProperty('tenant');
});

describe('an operator’s token', () => {
  const argv = (subject: string) => ['--role', 'OPERATOR', '--subject', subject, '--tenant', 'acme'];
  const recorded = (subject: string) =>
    withClient(tenants.url, async (client) => {
      const sql = 'SELECT tenant_id, outcome FROM audit_log WHERE action = $1 AND key = $2';
      return (await client.query(sql, ['token', subject])).rows;
    });
  const line = { tenant_id: '00000000-0000-0000-0000-000000000000', outcome: 'DONE' };
  let told: string[] = [];
  beforeEach(() => {
    told = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => told.push(String(text)) > 0);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('leaves its line in the database of DATABASE_URL, and then no other is looked for', async () => {
    await run(argv('by-url'), {}, () => Promise.reject(new Error('looked for')));
    expect([await recorded('by-url'), told]).toEqual([[line], []]);
  });

  test('leaves its line in the embedded database that runs', async () => {
    await run(argv('embedded'), { DATABASE_URL: '' }, async () => tenants.url);
    expect([await recorded('embedded'), told]).toEqual([[line], []]);
  });

  test('starts no embedded database for it, and says that there is no line', async () => {
    const directory = path.join(makeTempFolder(), 'postgres');
    const find = () => findRunningEmbeddedPostgres({ directory }) as Promise<string>;
    expect(decodeJwt(await run(argv('nobody'), { DATABASE_URL: '' }, find))).not.toHaveProperty('tenant');
    expect(existsSync(directory)).toBe(false);
    expect(told).toEqual([
      'No line of token could be written to the audit log: DATABASE_URL is not set, and the embedded PostgreSQL does not run.\n',
    ]);
  });

  test.each<[string, () => Promise<string>, RegExp]>([
    [
      'stopped just now',
      async () => 'postgresql://127.0.0.1:1/none',
      /The database none at 127\.0\.0\.1:1 cannot be reached/,
    ],
    ['belongs to another user', () => Promise.reject(new Error('EACCES')), /EACCES/],
  ])('is issued when the embedded database %s, which is said', async (_, find, why) => {
    expect(decodeJwt(await run(argv('lost'), { DATABASE_URL: '' }, find))).toMatchObject({ role: 'OPERATOR' });
    expect(told).toEqual([expect.stringMatching(why)]);
  });
});

test('names the tenants that there are when it does not find one', async () => {
  const error = await failure(['--tenant', 'acne', '--role', 'ADMIN']);
  expect(error).toBeInstanceOf(OperatorError);
  expect(error.message).toBe('There is no tenant "acne" in the database.');
  expect(error.remedy).toBe('It holds 1 tenant: acme.');
});

test.each([
  [['--role', 'ADMIN'], '--tenant is missing.'],
  [['--tenant', 'acme', '--role', 'ROOT'], '--role must be one of VIEWER, ANALYST, ADMIN, OPERATOR, but got: "ROOT".'],
  [
    ['--tenant', 'acme', '--expires', 'soon'],
    '--expires must be a number of s, m, h or d between 1s and 3650d, but got: "soon".',
  ],
  [['--tenant', 'acme', '--expires', '0h'], 'but got: "0h".'],
  [['--tenant', 'acme', '--expires', '3651d'], 'but got: "3651d".'],
])('refuses %j by name', async (argv, message) => {
  const error = await failure(argv);
  expect(error).toBeInstanceOf(OperatorError);
  expect(error.message).toContain(message);
});

test('refuses where tokens come from an identity provider', async () => {
  const env = { AUTH_SECRET: '', AUTH_JWKS_URL: 'https://id.example/keys' };
  const error = await failure(['--tenant', 'acme'], env);
  expect(error).toBeInstanceOf(OperatorError);
  expect(error.remedy).toContain('unset AUTH_JWKS_URL');
});

test('prints the token alone, or the reason and what to do about it', async () => {
  const script = await builtFrom('scripts/token.ts');
  const env = {
    PATH: process.env.PATH,
    AUTH_SECRET: 'a secret of this test, longer than 32 bytes',
    DATABASE_URL: tenants.url,
  };
  const start = (...argv: string[]) => promisify(execFile)(process.execPath, [script, ...argv], { env });
  const [printed, refused] = await Promise.all([
    start('--tenant', 'acme', '--role', 'ADMIN'),
    start('--tenant', 'acne').catch((error) => error),
  ]);
  expect(printed.stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  expect(printed.stderr).toBe('');
  expect(refused).toMatchObject({
    code: 1,
    stdout: '',
    stderr: 'There is no tenant "acne" in the database.\nIt holds 1 tenant: acme.\n',
  });
}, 60_000);
