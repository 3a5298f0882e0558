import type pg from 'pg';
import { schemaOfExtension } from '../database/read-indexes.ts';
import { markStatement, unmarkedComparisons } from '../indexes/leakproof.ts';
import { EXTENSION, NOT_LOADED } from '../indexes/workload.ts';
import { connectionsLine, FEWER_CONNECTIONS, sumOfConnections } from '../startup/pooler.ts';
import { type Check, type Finding, fault, ok, warning } from './check.ts';
import { DATABASE, DIRECT_WAY } from './database-way.ts';
import { asService, directUrlOf, type Subject } from './subject.ts';

const OLDEST = 14;
const NEWEST = 18;
/** Expiry of tokens, and the seconds that people read, are told by both clocks. */
const CLOCK_TOLERANCE_MS = 1_000;

const check = (name: string, look: Check['look'], needs = [DATABASE]): Check => ({ name, needs, look });

export const serverChecks: readonly Check[] = [
  check('PostgreSQL', (subject) => asService(subject, versionOf)),
  check('connections', lookAtConnections, [DATABASE, DIRECT_WAY]),
  check('clock', (subject) => asService(subject, (client) => compareClocks(client, subject))),
  check('autovacuum', (subject) => asService(subject, lookAtAutovacuum)),
  check('comparisons', (subject) => asService(subject, lookAtComparisons)),
  check(EXTENSION, (subject) => asService(subject, lookAtExtension)),
];

async function versionOf(client: pg.Client): Promise<Finding> {
  const { rows } = await client.query<{ version: string; number: number }>(
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::integer AS number`,
  );
  const { version = '', number = 0 } = rows[0] ?? {};
  const major = Math.floor(number / 10_000);
  if (major < OLDEST) return fault(version, `Upgrade PostgreSQL: ${OLDEST} to ${NEWEST} are supported.`);
  if (major > NEWEST) return warning(version, `Not tried yet: ${OLDEST} to ${NEWEST} are supported.`);
  return ok(version);
}

async function lookAtConnections(subject: Subject): Promise<Finding> {
  const { database, lifecycle } = subject.config;
  const settings = { poolSize: database.poolSize, workers: lifecycle.workers };
  const sum = await sumOfConnections(directUrlOf(subject), settings);
  const line = `${connectionsLine(sum)} in all`;
  return sum.wanted <= sum.available ? ok(line) : fault(line, `${sentence(FEWER_CONNECTIONS)}.`);
}

async function compareClocks(client: pg.Client, { nowMs }: Subject): Promise<Finding> {
  await client.query('SELECT 1'); // so that what is measured is one round trip
  const sentMs = nowMs();
  const { rows } = await client.query<{ ms: number }>(
    'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms',
  );
  const roundTripMs = nowMs() - sentMs;
  const aheadMs = (rows[0]?.ms ?? 0) - sentMs - roundTripMs / 2;
  const offMs = Math.max(0, Math.abs(aheadMs) - roundTripMs / 2);
  if (offMs <= CLOCK_TOLERANCE_MS) return ok(`the database's and this machine's differ by less than a second`);
  const seconds = (Math.abs(aheadMs) / 1000).toFixed(1);
  return warning(
    `the database's is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine's`,
    'Keep both by NTP, for example chrony or systemd-timesyncd: timedatectl status',
  );
}

async function lookAtAutovacuum(client: pg.Client): Promise<Finding> {
  const { rows } = await client.query<{ isOn: boolean; tables: string[] }>(
    `SELECT current_setting('autovacuum') = 'on' AS "isOn", ARRAY(
       SELECT relname::text FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND 'autovacuum_enabled=false' = ANY (reloptions) ORDER BY 1) AS tables`,
  );
  const { isOn = false, tables = [] } = rows[0] ?? {};
  if (!isOn)
    return fault(
      'it is off: tables and indexes grow with every write, and plans go by old figures',
      'As an administrator: ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf();',
    );
  if (tables.length === 0) return ok('on');
  const remedy = tables.map((table) => `ALTER TABLE ${table} RESET (autovacuum_enabled);`).join(' ');
  return fault(`it is off for ${tables.join(', ')}`, `As the owner of the tables: ${remedy}`);
}

async function lookAtComparisons(client: pg.Client): Promise<Finding> {
  const unmarked = await unmarkedComparisons(client);
  if (unmarked.length === 0) return ok('all are LEAKPROOF');
  return warning(
    `not LEAKPROOF: ${unmarked.join(', ')}; filters by status, type and balance use no index`,
    `As a superuser, in this database: ${unmarked.map(markStatement).join(' ')}`,
  );
}

async function lookAtExtension(client: pg.Client): Promise<Finding> {
  const schema = await schemaOfExtension(client, EXTENSION);
  if (!schema)
    return warning(
      'not in this database: indexes:advise does not know what is sent to it',
      `As an administrator: CREATE EXTENSION ${EXTENSION}; with shared_preload_libraries = '${EXTENSION}'.`,
    );
  try {
    await client.query(`SELECT FROM ${schema}.${EXTENSION} LIMIT 1`);
    return ok('it counts statements');
  } catch (error) {
    if ((error as { code?: string }).code !== NOT_LOADED) throw error;
    return warning(
      'the server does not load it, so that it counts nothing',
      `As an administrator: ALTER SYSTEM SET shared_preload_libraries = '${EXTENSION}'; then restart PostgreSQL.`,
    );
  }
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
