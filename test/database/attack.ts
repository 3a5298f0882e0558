import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { insertAccounts, insertTenant, insertTransactions } from '../support/fixtures.ts';
import { createTestDatabase, onServer, type TestDatabase } from '../support/postgres.ts';

/** A function that runs with its owner's rights. */
export interface Target {
  readonly oid: string;
  /** With its arguments' types. */
  readonly call: string;
  readonly name: string;
  readonly arguments: readonly string[];
  /**
   * A trigger that calls it, as PostgreSQL prints it, with its table; null where it is no
   * trigger's.
   */
  readonly trigger: { readonly table: string; readonly definition: string } | null;
}

/**
 * A login that has what no service has: temporary tables, a schema of its own, and the right to
 * call every function.
 */
export interface Attack {
  readonly targets: readonly Target[];
  /** As the superuser. */
  readonly admin: pg.Client;
  /**
   * Runs a function in every way in which it is called, and takes everything back.
   * @returns what of the attacker's ran with other rights than the attacker's
   */
  run(target: Target): Promise<string[]>;
  end(): Promise<void>;
}

const SCHEMA = 'attacker';
/** The attacker's own objects come before PostgreSQL's, where a function lets them. */
const PATH = `pg_temp, ${SCHEMA}, pg_catalog, public`;

const TARGETS_SQL = `
  SELECT p.oid::text, p.oid::regprocedure::text AS call, proname AS name,
         ARRAY(SELECT type::regtype::text FROM unnest(proargtypes) type) AS arguments,
         (SELECT json_build_object('table', tgrelid::regclass::text, 'definition', pg_get_triggerdef(t.oid))
            FROM pg_trigger t WHERE tgfoid = p.oid ORDER BY t.oid LIMIT 1) AS trigger
    FROM pg_proc p WHERE prosecdef AND pronamespace = 'public'::regnamespace ORDER BY proname`;

/** Plausible values, so that the functions do all that they do. */
const ARGUMENTS: Readonly<Record<string, (tenant: string, name: string) => string>> = {
  uuid: (tenant) => `'${tenant}'`,
  integer: () => '1',
  // What tenants cost.
  jsonb: (tenant) =>
    `'[{"tenantId":"${tenant}","bucket":"2026-03-01T12:00:00Z","requests":1,"hits":0,"points":1,"databaseMs":0,"rows":0,"bytesKept":0,"errors":{"TIMEOUT":1}}]'`,
  text: () => "'ERRORS'", // what tenants are listed by
  // What is kept for a least time refuses less; the outbox is cleaned at once.
  interval: (_, name) => (name === 'cache_outbox_clean' ? "'0'" : "'400 days'"),
};

export async function prepareAttack(): Promise<Attack> {
  const database = await createTestDatabase();
  const login = `tenantry_test_attacker_${randomBytes(6).toString('hex')}`;
  const tenant = await insertTenant(database.url, { slug: 'attacked' });
  const [accountId = ''] = await insertAccounts(database.url, tenant, [{ accountNumber: '1' }]);
  await insertTransactions(database.url, tenant, [{ accountId, bookedAt: '2026-03-01T12:00:00Z' }]);
  await onServer(`CREATE ROLE ${login}`);
  const admin = await connect(database);
  await admin.query("INSERT INTO folded_totals VALUES ($1, '2020-01-01', 'EUR', '', 1, 2, 3)", [tenant]);
  await admin.query(`
    ALTER DATABASE ${database.name} SET track_functions = 'all';
    GRANT TEMPORARY ON DATABASE ${database.name} TO ${login};
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO ${login};
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${login};
    CREATE SCHEMA ${SCHEMA} AUTHORIZATION ${login};
    GRANT USAGE ON SCHEMA ${SCHEMA} TO PUBLIC`);
  const { rows: targets } = await admin.query<Target>(TARGETS_SQL);
  const client = await connect(database);
  const ran: string[] = [];
  client.on('notice', ({ message = '' }) => {
    if (message.startsWith('ran ')) ran.push(message.slice(4));
  });
  // The triggers of its own tables see rows of a tenant that the attacker may have.
  await client.query(`SET SESSION AUTHORIZATION ${login}; SET app.tenant_id = '${tenant}'`);
  await client.query(SHADOWS_SQL);
  for (const { trigger, name } of targets) if (trigger) await client.query(ownTrigger(name, trigger));
  return {
    targets,
    admin,
    async run(target) {
      ran.length = 0;
      await client.query(`BEGIN; SET LOCAL search_path = ${PATH}`);
      try {
        // Its shadows may make it fail, which saves nobody.
        await client.query(statementsOf(target, tenant)).catch(() => {
          if (ran.length === 0) throw new Error(`${target.call} could not be run`);
        });
        if (ran.length === 0) await proveThatItRan(client, target);
      } finally {
        await client.query('ROLLBACK');
      }
      return [...new Set(ran)].sort();
    },
    async end() {
      await client.end();
      await admin.end();
      await database.drop();
      await onServer(`DROP ROLE ${login}`);
    },
  };
}

async function proveThatItRan(client: pg.Client, { oid, call }: Target): Promise<void> {
  const { rows } = await client.query(
    `SELECT pg_catalog.pg_stat_get_xact_function_calls(pg_catalog.oidin('${oid}')) AS calls`,
  );
  if (!rows[0]?.calls) throw new Error(`${call} was not called: the attack must learn how`);
}

async function connect({ url }: TestDatabase): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

function statementsOf({ name, call, arguments: types, trigger }: Target, tenant: string): string {
  if (trigger) {
    const table = `${SCHEMA}.rows_of_${name}`;
    const statements: Record<string, string> = {
      INSERT: `INSERT INTO ${table} SELECT * FROM public.${trigger.table} LIMIT 1`,
      // All tables but this one have an id.
      UPDATE: `UPDATE ${table} SET ${trigger.table === 'folded_totals' ? 'inflow = 2' : 'id = pg_catalog.gen_random_uuid()'}`,
      DELETE: `DELETE FROM ${table}`,
      TRUNCATE: `TRUNCATE ${table}`,
    };
    return eventsOf(trigger.definition)
      .map((event) => statements[event])
      .join('; ');
  }
  const values = types.map((type) => {
    const value = ARGUMENTS[type];
    if (!value) throw new Error(`${call} takes a ${type}: the attack must learn of it`);
    return `${value(tenant, name)}::pg_catalog.${type === 'integer' ? 'int4' : type}`;
  });
  const statement = `SELECT public.${name}(${values.join(', ')})`;
  // Some do at the second call what the first one prepares.
  return `${statement}; ${statement}`;
}

/**
 * A trigger of the same events on a table of the attacker's that holds a row; for all columns and
 * rows.
 */
function ownTrigger(name: string, { table, definition }: NonNullable<Target['trigger']>): string {
  const parts =
    /^CREATE TRIGGER \S+ (BEFORE|AFTER) .*? ON \S+ (REFERENCING .*?)?(FOR EACH \w+) .*?(EXECUTE FUNCTION .*)$/;
  const [, when, referencing = '', level, execute] = parts.exec(definition) ?? [];
  if (!when) throw new Error(`the attack must learn of: ${definition}`);
  const own = `${SCHEMA}.rows_of_${name}`;
  return `CREATE TABLE ${own} AS SELECT * FROM public.${table} LIMIT 1;
    CREATE TRIGGER attack ${when} ${eventsOf(definition).join(' OR ')} ON ${own} ${referencing}${level} ${execute}`;
}

function eventsOf(definition: string): string[] {
  const [events = ''] = / (?:BEFORE|AFTER) (.*?) ON /.exec(definition)?.slice(1) ?? [];
  return ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'].filter((event) => events.includes(event));
}

/**
 * Objects that stand in for all that the functions' texts name: tables with triggers and policies
 * and types in pg_temp; functions and operators there and in a schema. Each tells with a warning,
 * which no rollback takes back, when it runs as somebody else.
 */
const SHADOWS_SQL = `
SET search_path = pg_catalog;
CREATE FUNCTION ${SCHEMA}.tell(what text) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF current_user <> session_user THEN RAISE WARNING 'ran %', what; END IF;
  RETURN true;
END $$;
CREATE FUNCTION ${SCHEMA}.tell_of_write() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  PERFORM ${SCHEMA}.tell('table');
  RETURN NULL;
END $$;
DO $do$
DECLARE
  texts CONSTANT text := (SELECT string_agg(prosrc, ' ') FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace);
  words CONSTANT text[] := ARRAY(SELECT DISTINCT word[1] FROM regexp_matches(texts, '[a-z_][a-z0-9_]*', 'g') word);
  signs CONSTANT text[] := ARRAY(SELECT DISTINCT sign[1] FROM regexp_matches(texts, '[-+*/<>=~!@#%^&|]+', 'g') sign);
  shadow record;
BEGIN
  FOR shadow IN SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
    EXECUTE format('CREATE TEMP TABLE %1$I (LIKE public.%1$I INCLUDING DEFAULTS INCLUDING INDEXES);
      GRANT ALL ON pg_temp.%1$I TO PUBLIC;
      ALTER TABLE pg_temp.%1$I ENABLE ROW LEVEL SECURITY;
      CREATE POLICY tells ON pg_temp.%1$I USING ((SELECT ${SCHEMA}.tell(''table''))) WITH CHECK (true);
      CREATE TRIGGER tells BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pg_temp.%1$I
        FOR EACH STATEMENT EXECUTE FUNCTION ${SCHEMA}.tell_of_write()', shadow.name);
  END LOOP;
  FOR shadow IN
    SELECT proname AS name, pg_get_function_identity_arguments(oid) AS arguments, prorettype::regtype AS type, proretset AS is_set,
           prorettype = 'void'::regtype OR proretset AS is_empty, place
      FROM pg_proc CROSS JOIN (VALUES ('pg_temp'), ('${SCHEMA}')) AS in_schema (place)
     WHERE pronamespace IN ('pg_catalog'::regnamespace, 'public'::regnamespace) AND proname = ANY (words) AND prokind IN ('f', 'a')
  LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION %s.%I(%s) RETURNS %s %s LANGUAGE plpgsql AS $body$BEGIN PERFORM ${SCHEMA}.tell(''function''); RETURN %s; END$body$',
        shadow.place, shadow.name, shadow.arguments, CASE WHEN shadow.is_set THEN 'SETOF' END, shadow.type,
        CASE WHEN NOT shadow.is_empty THEN 'NULL' END);
    EXCEPTION
      WHEN OTHERS THEN NULL; -- of a kind that only PostgreSQL makes
    END;
  END LOOP;
  FOR shadow IN
    SELECT oprname AS name, oprleft::regtype AS l, oprright::regtype AS r, oprresult::regtype AS type, place, row_number() OVER () AS n
      FROM pg_operator CROSS JOIN (VALUES ('pg_temp'), ('${SCHEMA}')) AS in_schema (place)
     WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprname = ANY (signs) AND oprleft <> 0
       AND oprleft::regtype::text IN ('uuid', 'text', 'integer', 'bigint', 'numeric', 'smallint', 'date', 'xid8', 'timestamp with time zone', 'interval', 'boolean', 'name', 'anyarray', 'anyenum')
  LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION %1$s.operator_%2$s(%3$s, %4$s) RETURNS %5$s LANGUAGE plpgsql AS
          $body$BEGIN PERFORM ${SCHEMA}.tell(''operator''); RETURN $1 OPERATOR(pg_catalog.%6$s) $2; END$body$;
        CREATE OPERATOR %1$s.%6$s (LEFTARG = %3$s, RIGHTARG = %4$s, FUNCTION = %1$s.operator_%2$s)',
        shadow.place, shadow.n, shadow.l, shadow.r, shadow.type, shadow.name);
    EXCEPTION
      WHEN OTHERS THEN NULL; -- of a kind that only PostgreSQL makes
    END;
  END LOOP;
  FOR shadow IN
    SELECT typname AS name, oid::regtype AS type FROM pg_type
     WHERE typnamespace IN ('pg_catalog'::regnamespace, 'public'::regnamespace) AND typname = ANY (words) AND typtype IN ('b', 'e', 'r')
       AND to_regclass('pg_temp.' || quote_ident(typname)) IS NULL
  LOOP
    EXECUTE format('CREATE DOMAIN pg_temp.%I AS %s CHECK (${SCHEMA}.tell(''type''))', shadow.name, shadow.type);
  END LOOP;
END $do$;
RESET search_path`;
