import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foundSql } from '../../src/database/role-rights.sql.ts';
import { reportOf, rightsOf } from '../../src/database/role-rights.ts';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import { findInstalledPostgres, startInstalledPostgres } from '../support/installed-postgres.ts';
import { createTestDatabase, withClient } from '../support/postgres.ts';
import { migrationScripts } from '../support/template.ts';

/** A migrated database, as a superuser. */
interface Server {
  /** In which its grants are tried; all when absent. */
  readonly ways?: readonly (typeof WAYS)[number][];
  readonly name: string;
  start(): Promise<{ readonly url: string; stop(): Promise<void> }>;
}

const programs = findInstalledPostgres('plpgsql');
/** Whom something is granted to, so that the service's role has it. */
const WAYS = [
  ['by name', SERVICE_ROLE, []],
  ['by everybody', 'PUBLIC', []],
  [
    'by a role that it is a member of',
    'tenantry_test_reader',
    [`GRANT tenantry_test_reader TO ${SERVICE_ROLE}`, `ALTER ROLE ${SERVICE_ROLE} NOINHERIT`],
  ],
] as const;
const ONE_WAY = [WAYS[2]] as const;

const SERVERS: readonly Server[] = [
  {
    name: 'the embedded PostgreSQL',
    async start() {
      const { url, drop } = await createTestDatabase();
      return { url, stop: drop };
    },
  },
  ...(programs
    ? [
        {
          name: `PostgreSQL of ${programs}`,
          ways: ONE_WAY, // how roles get rights differs little between versions
          async start() {
            const server = await startInstalledPostgres(programs);
            await withClient(server.url, (client) => client.query('CREATE DATABASE tenantry'));
            const url = new URL('/tenantry', server.url).href;
            await withClient(url, async (client) => {
              for (const script of migrationScripts()) await client.query(script);
            });
            return { url, stop: async () => server.stop() };
          },
        },
      ]
    : []),
];

/** Something that a superuser makes and grants, to the role or to everybody. */
interface Grant {
  /** The column of the catalogue that holds its list of rights. */
  readonly catalogue: string;
  readonly make: readonly string[];
  /** As GRANT and REVOKE have it between their verb and the role. */
  readonly right: string;
  /** As the report names it. */
  readonly said: string;
  /** Whether PostgreSQL grants it to everybody with a new object. */
  readonly isUsual?: true;
  /** Of later objects: as ALTER DEFAULT PRIVILEGES has it. */
  readonly later?: string;
}

const MADE = 'CREATE SCHEMA "Rep"; GRANT USAGE ON SCHEMA "Rep" TO tenantry_test_reader';
const RELATION = 'pg_class.relacl';
const GRANTS: readonly Grant[] = [
  ...[
    'VIEW "Rep"."a b" AS SELECT * FROM public.bank_accounts',
    'TABLE "Rep"."a b" (id int)',
    'MATERIALIZED VIEW "Rep"."a b" AS SELECT 1 AS id',
  ].flatMap((it) =>
    ['SELECT', 'UPDATE', 'DELETE'].map((right) => ({
      catalogue: RELATION,
      make: [`CREATE ${it}`],
      right: `${right} ON TABLE "Rep"."a b"`,
      said: `${right} on "Rep"."a b"`,
    })),
  ),
  {
    catalogue: RELATION,
    make: ['CREATE SEQUENCE "Rep".s'],
    right: 'USAGE ON SEQUENCE "Rep".s',
    said: 'USAGE on sequence "Rep".s',
  },
  { catalogue: RELATION, make: [], right: 'SELECT ON TABLE pg_authid', said: 'SELECT on pg_authid' },
  {
    catalogue: 'pg_attribute.attacl',
    make: ['CREATE TABLE "Rep".rows ("A" int)'],
    right: 'UPDATE ("A") ON TABLE "Rep".rows',
    said: 'UPDATE ("A") on "Rep".rows',
  },
  {
    catalogue: 'pg_attribute.attacl',
    make: [],
    right: 'SELECT (rolpassword) ON TABLE pg_authid',
    said: 'SELECT (rolpassword) on pg_authid',
  },
  ...['pg_read_file(text)', 'pg_reload_conf()', 'lo_import(text)'].map((call) => ({
    catalogue: 'pg_proc.proacl',
    make: [],
    right: `EXECUTE ON FUNCTION ${call}`,
    said: `EXECUTE on function ${call}`,
  })),
  {
    catalogue: 'pg_proc.proacl',
    make: [`CREATE PROCEDURE "Rep".p() LANGUAGE sql AS 'SELECT'; REVOKE EXECUTE ON PROCEDURE "Rep".p() FROM PUBLIC`],
    right: 'EXECUTE ON PROCEDURE "Rep".p()',
    said: 'EXECUTE on procedure "Rep".p()',
    isUsual: true,
  },
  {
    catalogue: 'pg_type.typacl',
    make: [`CREATE TYPE "Rep".t AS ENUM ('a'); REVOKE USAGE ON TYPE "Rep".t FROM PUBLIC`],
    right: 'USAGE ON TYPE "Rep".t',
    said: 'USAGE on type "Rep".t',
    isUsual: true,
  },
  {
    catalogue: 'pg_type.typacl',
    make: ['REVOKE USAGE ON TYPE pg_catalog.int4 FROM PUBLIC'],
    right: 'USAGE ON TYPE pg_catalog.int4',
    said: 'USAGE on type pg_catalog.int4',
    isUsual: true,
  },
  {
    catalogue: 'pg_language.lanacl',
    make: ['REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC'],
    right: 'USAGE ON LANGUAGE plpgsql',
    said: 'USAGE on language plpgsql',
    isUsual: true,
  },
  {
    catalogue: 'pg_namespace.nspacl',
    make: ['CREATE SCHEMA "Other"'],
    right: 'USAGE ON SCHEMA "Other"',
    said: 'USAGE on schema "Other"',
  },
  {
    catalogue: 'pg_namespace.nspacl',
    make: ['CREATE SCHEMA "Other"'],
    right: 'CREATE ON SCHEMA "Other"',
    said: 'CREATE on schema "Other"',
  },
  {
    catalogue: 'pg_tablespace.spcacl',
    make: [],
    right: 'CREATE ON TABLESPACE pg_default',
    said: 'CREATE on tablespace pg_default',
  },
  {
    catalogue: 'pg_foreign_data_wrapper.fdwacl',
    make: ['CREATE FOREIGN DATA WRAPPER "W"'],
    right: 'USAGE ON FOREIGN DATA WRAPPER "W"',
    said: 'USAGE on foreign data wrapper "W"',
  },
  {
    catalogue: 'pg_foreign_server.srvacl',
    make: ['CREATE FOREIGN DATA WRAPPER "W"; CREATE SERVER "S" FOREIGN DATA WRAPPER "W"'],
    right: 'USAGE ON FOREIGN SERVER "S"',
    said: 'USAGE on foreign server "S"',
  },
  {
    catalogue: 'pg_largeobject_metadata.lomacl',
    make: ['SELECT lo_create(424242)'],
    right: 'SELECT ON LARGE OBJECT 424242',
    said: 'SELECT on large object 424242',
  },
  ...['session_replication_role', 'plpgsql.check_asserts'].map((name) => ({
    catalogue: 'pg_parameter_acl.paracl',
    make: [],
    right: `SET ON PARAMETER ${name}`,
    said: `SET on parameter ${name}`,
  })),
  {
    catalogue: 'pg_parameter_acl.paracl',
    make: [],
    right: 'ALTER SYSTEM ON PARAMETER archive_command',
    said: 'ALTER SYSTEM on parameter archive_command',
  },
  {
    catalogue: 'pg_database.datacl',
    make: [],
    right: 'CREATE ON DATABASE :database',
    said: 'CREATE on the database',
  },
  ...['', ' IN SCHEMA public'].flatMap((where) =>
    ['SELECT ON TABLES', 'USAGE ON SEQUENCES'].map((right) => ({
      catalogue: 'pg_default_acl.defaclacl',
      make: [],
      later: `ALTER DEFAULT PRIVILEGES FOR ROLE tenantry_owner${where}`,
      right,
      said: `${right
        .replace('ON', 'on later')
        .toLowerCase()
        .replace(/^\w+/, (it) => it.toUpperCase())} of tenantry_owner${where.toLowerCase()}`,
    })),
  ),
];

describe.each(SERVERS)('$name', { timeout: 60_000 }, ({ start, ways = WAYS }) => {
  let server: Awaited<ReturnType<Server['start']>>;
  let client: pg.Client;
  beforeAll(async () => {
    server = await start();
    client = new pg.Client({ connectionString: server.url });
    await client.connect();
  }, 60_000);
  afterAll(async () => {
    await client?.end();
    await server?.stop();
  });

  async function report(): Promise<string[]> {
    const rights = await rightsOf(client, SERVICE_ROLE);
    if (!rights) throw new Error(`there is no ${SERVICE_ROLE}`);
    return reportOf(rights);
  }

  /** Statements and work that are taken back. */
  async function takenBack(statements: readonly string[], work: () => Promise<void>): Promise<void> {
    await client.query('BEGIN');
    try {
      for (const sql of statements) await client.query(sql);
      await work();
    } finally {
      await client.query('ROLLBACK');
    }
  }

  it('has no right too many once it is migrated', async () => {
    expect(await report()).toEqual([]);
  });

  it('has no catalogue with lists of rights that is granted nothing of here', async () => {
    const { rows } = await client.query<{ place: string }>(`
      SELECT attrelid::regclass || '.' || attname AS place FROM pg_attribute
        JOIN pg_class c ON c.oid = attrelid
       WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND atttypid = 'aclitem[]'::regtype
         AND attrelid <> 'pg_init_privs'::regclass ORDER BY 1`);
    const granted = [...new Set(GRANTS.map(({ catalogue }) => catalogue))].sort();
    expect(rows.map(({ place }) => place)).toEqual(granted);
  });

  describe.each(ways)('granted %s', (_title, grantee, more) => {
    it.each(GRANTS)(
      '$right $later is named, with what takes it away',
      async ({ make, right, said, later, isUsual }) => {
        const database = new URL(server.url).pathname.slice(1);
        const [before, own] = [later ? `${later} ` : '', right.replace(':database', database)];
        const clean = [
          'CREATE ROLE tenantry_test_reader',
          ...more,
          ...(make.some((sql) => sql.includes('"Rep"')) ? [MADE.replace('tenantry_test_reader', grantee)] : []),
          ...make,
        ];
        await takenBack(clean, async () => {
          const already = await report();
          await client.query(`${before}GRANT ${own} TO ${grantee}`);
          const remedy = `${before}REVOKE ${own} FROM ${grantee};`;
          const line = `${SERVICE_ROLE} has more than the service needs: ${said}: ${remedy}`;
          const isNamed = !(isUsual && grantee === 'PUBLIC');
          expect((await report()).filter((it) => !already.includes(it))).toEqual(isNamed ? [line] : []);
          await client.query(remedy);
          expect(await report()).toEqual(already);
        });
      },
    );
  });

  it('asks a server without rights to parameters for none, as before PostgreSQL 15', async () => {
    const sql = foundSql(false);
    expect(sql).not.toContain('pg_parameter_acl');
    await takenBack([`GRANT SET ON PARAMETER work_mem TO ${SERVICE_ROLE}`], async () => {
      const { rows } = await client.query(sql, [SERVICE_ROLE]);
      expect(rows[0].found).toMatchObject({ role: SERVICE_ROLE, others: [] });
    });
  });

  it('says nothing of what a schema holds that the service may not use', async () => {
    const made = [
      'CREATE SCHEMA "Rep"; CREATE TABLE "Rep".rows (id int)',
      `GRANT SELECT ON "Rep".rows TO ${SERVICE_ROLE}`,
    ];
    await takenBack(made, async () => expect(await report()).toEqual([]));
  });

  it('names what belongs to the role, whatever its kind', async () => {
    const made = [
      'CREATE SCHEMA "Rep"; CREATE TABLE "Rep".rows (id int); CREATE FOREIGN DATA WRAPPER "W"',
      `ALTER TABLE "Rep".rows OWNER TO ${SERVICE_ROLE}`,
      `CREATE ROLE tenantry_test_group; GRANT tenantry_test_group TO ${SERVICE_ROLE}`,
      'CREATE PUBLICATION "P"; ALTER PUBLICATION "P" OWNER TO tenantry_test_group',
    ];
    await takenBack(made, async () => {
      const says = `${SERVICE_ROLE} has more than the service needs: ownership of`;
      expect(await report()).toEqual([
        `${says} publication "P": REASSIGN OWNED BY tenantry_test_group TO tenantry_owner;`,
        `${says} table "Rep".rows: REASSIGN OWNED BY ${SERVICE_ROLE} TO tenantry_owner;`,
      ]);
      await client.query(`REASSIGN OWNED BY ${SERVICE_ROLE}, tenantry_test_group TO tenantry_owner`);
      expect(await report()).toEqual([]);
    });
  });
});
