import pg from 'pg';
import { parseSnapshot } from './snapshot.ts';

/**
 * What a snapshot sees and the one before did not: whatever the earlier one had not begun or not ended. Both are looked
 * up in the key, so that neither long transactions nor removed rows cost anything. A row of a later transaction than
 * this snapshot knows came with a dump of another server.
 */
const POLL = `
WITH seen AS MATERIALIZED (SELECT pg_current_snapshot() AS snapshot)
SELECT snapshot::text, pg_postmaster_start_time()::text AS "serverStart",
  (SELECT removed FROM cache_outbox_horizon) AS removed,
  (SELECT coalesce(json_agg(json_build_array(tenant_id, dependencies, write_id)), '[]') FROM (
     SELECT tenant_id, dependencies, write_id FROM cache_outbox
      WHERE xid >= $1::bigint AND xid < pg_snapshot_xmax(snapshot)::text::bigint
     UNION ALL
     SELECT tenant_id, dependencies, write_id FROM cache_outbox WHERE xid = ANY ($2::bigint[])) changes) AS changes
FROM seen`;

/**
 * A process that stands still keeps its connection, and with it the lock, but nobody's answers fresh: PostgreSQL ends
 * such a session. One that works asks many times a second.
 */
const IDLE_SESSION_TIMEOUT_MS = 2_000;
/** A machine that vanished is noticed by probes. */
const KEEPALIVE = { tcp_keepalives_idle: 2, tcp_keepalives_interval: 1, tcp_keepalives_count: 3 };
const CONNECT_TIMEOUT_MS = 2_000;
/** Generous: after a long time away there may be a million rows. */
const POLL_TIMEOUT_MS = 10_000;

/** One row of the outbox. */
export interface OutboxChange {
  readonly tenantId: string;
  /** Bits of `maskOf`. */
  readonly dependencies: number;
  /** The API's own write; null for everybody else's. */
  readonly writeId: string | null;
}

export interface OutboxPoll {
  /** What the poll has seen: the next one goes on from it. */
  readonly snapshot: string;
  /** Names the run of the server: after a restart, a failover or a restored backup, snapshots of before mean nothing. */
  readonly serverStart: string;
  /** A snapshot whose rows are gone; null when none were ever removed. */
  readonly removed: string | null;
  readonly changes: readonly OutboxChange[];
}

export interface OutboxConnection {
  readonly url: string;
  /** Whether to take this role at connecting. */
  readonly role?: string | undefined;
}

/** A connection of its own to PostgreSQL, by which one process follows the outbox of all tenants. */
export class OutboxReader {
  private constructor(private readonly client: pg.Client) {}

  static async open({ url, role }: OutboxConnection): Promise<OutboxReader> {
    const settings = {
      'app.directory': 'on',
      idle_session_timeout: IDLE_SESSION_TIMEOUT_MS,
      ...KEEPALIVE,
      ...(role && { role }),
    };
    const client = new pg.Client({
      connectionString: url,
      application_name: 'tenantry cache follower',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: POLL_TIMEOUT_MS,
      keepAlive: true,
      options: Object.entries(settings)
        .map(([name, value]) => `-c ${name}=${value}`)
        .join(' '),
    });
    // A lost connection rejects the statement under way or the next one; without a listener it would end the process.
    client.on('error', () => {});
    try {
      await client.connect();
    } catch (error) {
      await client.end().catch(() => {}); // the error to tell is the first one
      throw error;
    }
    return new OutboxReader(client);
  }

  /** @param after a poll's snapshot; without it no rows are read, only where the outbox stands */
  async poll(after?: string): Promise<OutboxPoll> {
    const { xmax = null, inProgress = [] } = after === undefined ? {} : parseSnapshot(after);
    type Row = Omit<OutboxPoll, 'changes'> & { changes: [string, number, string | null][] };
    const { rows } = await this.client.query<Row>({ name: 'poll', text: POLL, values: [xmax, inProgress] });
    if (!rows[0]) throw new Error('the poll of cache_outbox gave no row');
    const { changes, ...state } = rows[0];
    return {
      ...state,
      changes: changes.map(([tenantId, dependencies, writeId]) => ({ tenantId, dependencies, writeId })),
    };
  }

  /** Takes the lock of this name until the connection ends, if nobody has it. Never waits. */
  async tryLock(name: string): Promise<boolean> {
    const { rows } = await this.client.query<{ locked: boolean }>({
      name: 'lock',
      text: 'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked',
      values: [name],
    });
    return rows[0]?.locked ?? false;
  }

  /** Says in the database that the versions of this Redis may be trusted from now on. */
  async announceTrust(serverId: string, holder: string): Promise<void> {
    await this.client.query({
      name: 'announce',
      text: `INSERT INTO cache_trust (server_id, holder) VALUES ($1, $2)
             ON CONFLICT (server_id) DO UPDATE SET holder = excluded.holder, renewed_at = now()`,
      values: [serverId, holder],
    });
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}
