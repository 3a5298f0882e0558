import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { grantCommand } from '../../src/commands/grant-command.ts';
import { migrateCommand } from '../../src/commands/migrate-command.ts';
import { createPlainlyOwnedDatabase } from '../support/plain-owner.ts';
import {
  createEmptyDatabase,
  createTestDatabase,
  onServer,
  quoteName,
  type TestDatabase,
  withClient,
  withKeptClient,
} from '../support/postgres.ts';

const ROLE = `tenantry_test_service_${randomBytes(6).toString('hex')}`;
const CLEAN = `${ROLE} has the rights that the service needs, and no others.`;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await onServer(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${ROLE}'`);
});
afterAll(async () => {
  await database?.drop();
  await onServer(`DROP ROLE ${ROLE}`);
});
afterEach(() => vi.unstubAllEnvs());

async function grant(options: { role?: string; check?: boolean } = {}, url = database.url) {
  vi.stubEnv('DATABASE_URL', url);
  const lines: string[] = [];
  const line = { options: { role: ROLE, check: false, ...options }, arguments: [] };
  return { code: await grantCommand(line, (text) => lines.push(text)), lines };
}

const change = (sql: string) => withKeptClient(database.url, (client) => client.query(sql));

describe('db:grant', () => {
  it('says what a role lacks that was made after the migrations, and changes nothing when it only checks', async () => {
    for (let times = 0; times < 2; times++) {
      const { code, lines } = await grant({ check: true });
      expect(code).toBe(3);
      expect(lines).toContain(`${ROLE} lacks SELECT on tenants: GRANT SELECT ON tenants TO ${ROLE};`);
      expect(lines).toContain(
        `${ROLE} lacks UPDATE (transaction_ids, created_at) on idempotency_keys: GRANT UPDATE (transaction_ids, created_at) ON idempotency_keys TO ${ROLE};`,
      );
    }
  });

  it('gives it what the service needs', async () => {
    const { code, lines } = await grant();
    expect([code, lines.at(-1)]).toEqual([0, CLEAN]);
    expect(lines).toContain(`done: GRANT SELECT ON transactions TO ${ROLE};`);
    expect(await grant()).toEqual({ code: 0, lines: [CLEAN] });
    const own = new URL(database.url);
    [own.username, own.password] = [ROLE, ROLE];
    await withClient(own.href, async (client) => {
      await client.query("SET app.directory = 'on'; SELECT FROM tenants; SELECT * FROM cache_outbox_poll(0, '{}')");
      await expect(client.query('CREATE TEMP TABLE rows (n int)')).rejects.toMatchObject({ code: '42501' });
    });
  });

  it.each([
    [
      'a right to a table',
      `GRANT DELETE ON tenants TO ${ROLE}`,
      `DELETE on tenants: REVOKE DELETE ON tenants FROM ${ROLE};`,
    ],
    [
      'more columns',
      `GRANT UPDATE ON bank_accounts TO ${ROLE}`,
      `UPDATE on bank_accounts: REVOKE UPDATE ON bank_accounts FROM ${ROLE}; GRANT UPDATE (bank_name, account_type, status, balance, version, updated_at) ON bank_accounts TO ${ROLE};`,
    ],
    [
      'a function',
      `GRANT EXECUTE ON FUNCTION statistics_rebuild TO PUBLIC`,
      'EXECUTE on function statistics_rebuild(uuid): REVOKE EXECUTE ON FUNCTION statistics_rebuild(uuid) FROM PUBLIC;',
    ],
    [
      'the schema',
      `GRANT CREATE ON SCHEMA public TO ${ROLE}`,
      `CREATE on schema public: REVOKE CREATE ON SCHEMA public FROM ${ROLE};`,
    ],
  ])('takes away what it may do too much: %s', async (_title, sql, said) => {
    await change(sql);
    const found = await grant({ check: true });
    expect(found).toEqual({ code: 3, lines: [`${ROLE} has more than the service needs: ${said}`] });
    const { code, lines } = await grant();
    expect([code, lines.at(-1)]).toEqual([0, CLEAN]);
    expect((await grant({ check: true })).code).toBe(0);
  });

  it('takes temporary tables away from everybody but whoever asks', async () => {
    await change(`GRANT TEMPORARY ON DATABASE ${database.name} TO PUBLIC`);
    expect((await grant({ check: true })).lines).toEqual([
      `${ROLE} has more than the service needs: TEMPORARY on the database: GRANT TEMPORARY ON DATABASE ${database.name} TO postgres; REVOKE TEMPORARY ON DATABASE ${database.name} FROM PUBLIC;`,
    ]);
    expect((await grant()).code).toBe(0);
  });

  it('leaves to an administrator what a role is, and says so', async () => {
    await onServer(`ALTER ROLE ${ROLE} CREATEDB`);
    const line = `${ROLE} has more than the service needs: CREATEDB: ALTER ROLE ${ROLE} NOCREATEDB;`;
    expect(await grant()).toEqual({ code: 3, lines: [line] });
    await onServer(`ALTER ROLE ${ROLE} NOCREATEDB`);
  });

  it('advises a login of its own where the role is a superuser, which may be the only one', async () => {
    const login = `tenantry_test_super_${randomBytes(6).toString('hex')}`;
    await onServer(`CREATE ROLE ${login} LOGIN SUPERUSER BYPASSRLS CREATEDB`);
    const { rows } = await withClient(database.url, (client) =>
      client.query("SELECT rolcanlogin AS is FROM pg_roles WHERE rolname = 'tenantry_app'"),
    );
    const make = rows[0].is ? '' : " ALTER ROLE tenantry_app LOGIN PASSWORD '…';";
    expect(await grant({ role: login })).toEqual({
      code: 3,
      lines: [
        `${login} has more than the service needs: SUPERUSER: give the service a login of its own:${make} "npm run db:grant -- --role tenantry_app"; then tenantry_app in its DATABASE_URL.`,
      ],
    });
    await onServer(`DROP ROLE ${login}`);
  });

  it('ends the membership that leads to the owner of the tables, whoever granted it', async () => {
    const [group, admin] = ['group', 'admin'].map((it) => `tenantry_test_${it}_${randomBytes(6).toString('hex')}`);
    await onServer(
      `CREATE ROLE ${group} IN ROLE tenantry_owner; CREATE ROLE ${admin}; GRANT ${group} TO ${admin} WITH ADMIN OPTION`,
    );
    await onServer(`SET ROLE ${admin}; GRANT ${group} TO ${ROLE}`);
    await onServer(`GRANT tenantry_owner, pg_monitor TO ${ROLE}`);
    const { lines } = await grant();
    const [, remedy = ''] =
      /^\S+ has more than the service needs: the rights of tenantry_owner, which owns the tables: (.*)$/.exec(
        lines.join(),
      ) ?? [];
    expect(remedy.split(/(?<=;) /).toSorted()).toEqual([
      `REVOKE tenantry_owner FROM ${ROLE};`,
      `REVOKE ${group} FROM ${ROLE} GRANTED BY ${admin};`,
    ]);
    await onServer(remedy);
    expect((await grant()).lines).toContain(
      `${ROLE} has more than the service needs: membership of pg_monitor: REVOKE pg_monitor FROM ${ROLE};`,
    );
    await onServer(
      `REVOKE pg_monitor FROM ${ROLE}; GRANT pg_monitor TO ${group}; GRANT ${group} TO ${ROLE}; REVOKE tenantry_owner FROM ${group}`,
    );
    expect((await grant()).lines).toContain(
      `${ROLE} has more than the service needs: membership of pg_monitor: REVOKE ${group} FROM ${ROLE};`,
    );
    await onServer(`DROP ROLE ${group}; DROP ROLE ${admin}`);
    expect(await grant()).toEqual({ code: 0, lines: [CLEAN] });
  });

  it.each([false, true])('refuses the owner of the tables, checking: %s', async (check) => {
    const rights = "SELECT relacl::text FROM pg_class WHERE relname = '_prisma_migrations'";
    const before = (await change(rights)).rows;
    await expect(grant({ role: 'tenantry_owner', check })).rejects.toMatchObject({
      message: 'The role tenantry_owner owns the tables, and is no role for the service; nothing was changed.',
      remedy: expect.stringMatching(/^As an administrator give the service a login of its own: .*--role tenantry_app/),
    });
    expect((await change(rights)).rows).toEqual(before);
  });

  it('is recorded as failed where it changed nothing and something is not right', async () => {
    const last = async () =>
      (await change("SELECT outcome, codes FROM audit_log WHERE action = 'db:grant' ORDER BY at DESC, id DESC LIMIT 1"))
        .rows;
    await grant();
    expect(await last()).toEqual([{ outcome: 'DONE', codes: [] }]);
    await onServer(`ALTER ROLE ${ROLE} CREATEDB`);
    expect((await grant()).code).toBe(3);
    expect(await last()).toEqual([{ outcome: 'FAILED', codes: ['FAILED_PRECONDITION'] }]);
    await change(`GRANT DELETE ON tenants TO ${ROLE}`);
    expect((await grant()).code).toBe(3);
    expect(await last()).toEqual([{ outcome: 'DONE', codes: [] }]);
    await onServer(`ALTER ROLE ${ROLE} NOCREATEDB`);
  });

  it('takes names of objects and roles as names, whatever they say as SQL', async () => {
    // PostgreSQL cuts names of more than 63 bytes.
    const maker = `tenantry_${randomBytes(3).toString('hex')}`;
    const role = `A "b"; ALTER ROLE ${maker} SUPERUSER--`;
    const injected = `ALTER ROLE ${maker} SUPERUSER--`;
    const hostile = [`tenants FROM public;${injected}`, `"a" TO public;${injected}`, `x) ON tenants;${injected}`];
    const own = new URL(database.url);
    [own.username, own.password] = [maker, maker];
    await onServer(`CREATE ROLE ${maker} LOGIN PASSWORD '${maker}'; CREATE ROLE ${quoteName(role)}`);
    await change(`GRANT CREATE ON SCHEMA public TO ${maker}`);
    const names = [...hostile, 'AuditArchive', 'order'];
    const made = names.flatMap((it) => {
      const [name, sequence, type, procedure] = [it, `${it}_s`, `${it}_t`, `${it}_p`].map(quoteName);
      return [
        `CREATE TABLE ${name} (${name} int); GRANT SELECT, UPDATE (${name}) ON ${name} TO ${quoteName(role)}`,
        `CREATE SEQUENCE ${sequence}; GRANT USAGE ON SEQUENCE ${sequence} TO PUBLIC`,
        `CREATE TYPE ${type} AS ENUM ('a')`,
        `CREATE FUNCTION ${name}(${name} ${type}) RETURNS void SECURITY DEFINER LANGUAGE sql AS 'SELECT'`,
        `CREATE PROCEDURE ${procedure}() SECURITY DEFINER LANGUAGE sql AS 'SELECT'`,
      ];
    });
    await withClient(own.href, async (client) => {
      for (const sql of made) await client.query(sql);
    });

    const { lines } = await grant({ role });
    const left = lines.filter((line) => !line.startsWith('done: '));
    expect(left.toSorted()).toEqual([
      expect.stringContaining(`10 functions belong to ${maker}, which may log in`),
      expect.stringContaining(` tables belong to ${maker}, which may log in`),
      expect.stringContaining(` types belong to ${maker}, which may log in`),
    ]);
    for (const name of names.map(quoteName)) {
      expect(lines).toContain(`done: REVOKE SELECT ON ${name} FROM ${quoteName(role)};`);
      expect(lines).toContain(`done: REVOKE UPDATE (${name}) ON ${name} FROM ${quoteName(role)};`);
    }
    expect((await grant({ role, check: true })).lines).toEqual(left);
    await withClient(own.href, async (client) => {
      const { rows } = await client.query(
        "SELECT rolsuper, has_table_privilege('public', 'tenants', 'SELECT') AS everybody FROM pg_roles WHERE rolname = current_user",
      );
      expect(rows).toEqual([{ rolsuper: false, everybody: false }]);
    });
    await change(`DROP OWNED BY ${maker}, ${quoteName(role)}`);
    await onServer(`DROP ROLE ${maker}, ${quoteName(role)}`);
  });

  it('sends a table of a superuser to an administrator, whose statement settles it', async () => {
    await grant();
    await change('CREATE TABLE stray (id integer)');
    const own = new URL(database.url);
    [own.username, own.password] = [ROLE, ROLE];
    const { code, lines } = await grant({ check: true }, own.href);
    expect(code).toBe(3);
    expect(lines).toEqual([
      expect.stringMatching(
        /^1 table belongs to .*, which may log in or is a superuser: an administrator runs SELECT settle_ownership\(\);$/,
      ),
    ]);
    await change('SELECT settle_ownership()');
    expect(await grant({ check: true }, own.href)).toEqual({ code: 0, lines: [CLEAN] });
    await change('DROP TABLE stray');
  });

  it('names the role that there is not', async () => {
    await expect(grant({ role: 'tenantry_test_nobody' })).rejects.toMatchObject({
      message: 'There is no role tenantry_test_nobody on the server of this database.',
      remedy: expect.stringContaining('CREATE ROLE tenantry_test_nobody LOGIN'),
    });
    await expect(grant({ role: 'Nobody; DROP' })).rejects.toMatchObject({
      remedy: expect.stringContaining('CREATE ROLE "Nobody; DROP" LOGIN'),
    });
  });

  it.each([
    ['function', 'integer DEFAULT 0', 'integer', 'RETURNS text '],
    ['procedure', 'a text DEFAULT NULL, b "A" DEFAULT NULL', 'text,"A"', ''],
  ])('names the %s that PostgreSQL cannot tell from settle_ownership()', async (kind, parameters, types, returns) => {
    await change(
      `CREATE TYPE "A" AS ENUM ('a'); CREATE ${kind} settle_ownership(${parameters}) ${returns}LANGUAGE sql AS 'SELECT NULL::text'`,
    );
    const remedy = `DROP ROUTINE settle_ownership(${types});`;
    await expect(grant()).rejects.toMatchObject({
      message: `PostgreSQL cannot tell settle_ownership() from settle_ownership(${types}); nothing was changed.`,
      remedy: `Their owner, or an administrator, runs: ${remedy} then run this again.`,
    });
    await change(`${remedy} DROP TYPE "A"`);
    expect(await grant()).toEqual({ code: 0, lines: [CLEAN] });
  });

  it('takes no notice of a settle_ownership that needs an argument', async () => {
    await change(`CREATE FUNCTION settle_ownership(integer) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'`);
    expect((await grant()).lines.at(-1)).toBe(CLEAN);
    await change('DROP FUNCTION settle_ownership(integer)');
  });

  it('is refused to a login that does not own the tables', async () => {
    const own = new URL(database.url);
    [own.username, own.password] = [ROLE, ROLE];
    await expect(grant({}, own.href)).rejects.toMatchObject({ code: '42501' });
    expect((await grant({ check: true }, own.href)).code).toBe(0);
  });

  it('says what an administrator must run where the owner of the tables may log in', async () => {
    const plain = await createPlainlyOwnedDatabase();
    await onServer(`ALTER ROLE ${plain.owner} LOGIN PASSWORD '${plain.owner}'`);
    const own = new URL(plain.url);
    [own.username, own.password] = [plain.owner, plain.owner];
    const { code, lines } = await grant({ role: 'tenantry_app' }, own.href);
    expect(code).toBe(3);
    expect(lines[0]).toMatch(
      new RegExp(
        `^not done: .* An administrator runs: GRANT tenantry_owner TO ${plain.owner}; GRANT USAGE, CREATE ON SCHEMA public TO tenantry_owner; Then: npm run db:grant$`,
      ),
    );
    const statements = `GRANT tenantry_owner TO ${plain.owner}; GRANT USAGE, CREATE ON SCHEMA public TO tenantry_owner;`;
    const owned = lines.slice(1);
    expect(owned).toContain(`14 tables belong to ${plain.owner}, which may log in or is a superuser.`);
    expect(lines.filter((line) => line.includes(statements))).toHaveLength(1);
    // Whoever may settle it at once is told that alone.
    const checked = { role: 'tenantry_app', check: true };
    expect(await grant(checked, own.href)).toEqual({
      code: 3,
      lines: [...owned, `An administrator runs: ${statements} Then: npm run db:grant`],
    });
    expect((await grant(checked, plain.url)).lines).toEqual([
      expect.stringContaining('TEMPORARY on the database'),
      ...owned.slice(1).map((line) => line.replace(/\.$/, ': SELECT settle_ownership();')),
    ]);
    await withClient(plain.url, (client) => client.query(statements));
    expect((await grant({ role: 'tenantry_app' }, own.href)).lines).toEqual([owned[0]]);
    await onServer(`REVOKE tenantry_owner FROM ${plain.owner}`);
    await plain.drop();
  });
});

it('db:migrate says what is left to grant and to settle', { timeout: 180_000 }, async () => {
  const login = `tenantry_test_migrating_${randomBytes(6).toString('hex')}`;
  const empty = await createEmptyDatabase();
  await onServer(`CREATE ROLE ${login} LOGIN PASSWORD '${login}'`);
  await onServer(`ALTER DATABASE ${empty.name} OWNER TO ${login}`);
  const own = new URL(empty.url);
  [own.username, own.password] = [login, login];
  vi.stubEnv('DATABASE_URL', own.href);
  const lines: string[] = [];
  expect(await migrateCommand((line) => lines.push(line))).toBe(0);
  const owned = (kind: string) =>
    expect.stringMatching(`^\\d+ ${kind} belong to ${login}, which may log in or is a superuser\\.$`);
  expect(lines.slice(-5).toSorted()).toEqual([
    owned('tables'),
    owned('types'),
    owned('functions'),
    `An administrator runs: GRANT tenantry_owner TO ${login}; GRANT USAGE, CREATE ON SCHEMA public TO tenantry_owner; Then: npm run db:grant`,
    'Done.',
  ]);
  expect(lines.at(-1)).toBe('Done.');
  await empty.drop();
  await onServer(`DROP ROLE ${login}`);
});
