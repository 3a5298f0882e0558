import type pg from 'pg';
import { counted } from '../counted.ts';
import { type Check, type Finding, ok, warning } from './check.ts';
import { DATABASE } from './database-way.ts';
import { MIGRATIONS } from './schema.ts';
import { asService } from './subject.ts';

/** The relay removes what is older than half of it, every few seconds. */
const OLD = '1 minute';

/** Rows have no time; the horizon has one, of a snapshot that sees those which are older. */
const OLD_ROWS = `
  SELECT count(*)::integer AS rows, min(floor(extract(epoch FROM clock_timestamp() - next_at) / 60))::integer AS minutes
    FROM cache_outbox, cache_outbox_horizon
   WHERE next IS NULL OR next_at < clock_timestamp() - interval '${OLD}' AND pg_visible_in_snapshot(xid::text::xid8, next::pg_snapshot)`;

export const outboxChecks: readonly Check[] = [
  {
    name: 'outbox of writes',
    needs: [DATABASE, MIGRATIONS],
    look: (subject) => asService(subject, lookAtOutbox),
  },
];

async function lookAtOutbox(client: pg.Client): Promise<Finding> {
  await client.query('BEGIN READ ONLY');
  try {
    await client.query("SELECT set_config('app.directory', 'on', true)");
    const { rows: found } = await client.query<{ rows: number; minutes: number | null }>(OLD_ROWS);
    const { rows = 0, minutes } = found[0] ?? {};
    if (rows === 0) return ok('no row is older than a minute');
    const since =
      minutes == null ? 'no process has removed any yet' : `none was removed for ${counted(minutes, 'minute')}`;
    return warning(
      `${counted(rows, 'row')} of cache_outbox: ${since}, so nobody relays them`,
      'Start the service with CACHE=on and this database. If it runs, its log says why it cannot read the outbox.',
    );
  } finally {
    await client.query('ROLLBACK');
  }
}
