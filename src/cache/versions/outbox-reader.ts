import pg from 'pg';
import { StateError } from '../../errors.ts';
import type { Checkpoint } from './checkpoint.ts';
import { parseSnapshot } from './snapshot.ts';

const IDENTIFY = 'SELECT cache_database_identity() AS database, pg_backend_pid() AS session';

const POLL = `
SELECT snapshot, triggers, removed, is_complete AS "isComplete", is_visible AS "isVisible", session, changes
  FROM cache_outbox_poll($1, $2)`;

/**
 * A process that stands still keeps its connection, and with it the lock, but nobody's answers
 * fresh: PostgreSQL ends such a session. One that works asks many times a second.
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

/** What a poll has seen, which the next one goes on from. */
export interface OutboxPoll extends Checkpoint {
  /** A snapshot whose rows are gone; null when none were ever removed. */
  readonly removed: string | null;
  readonly changes: readonly OutboxChange[];
}

export interface OutboxConnection {
  readonly url: string;
  /** Whether to take this role at connecting. */
  readonly role?: string | undefined;
}

/** A poll's row: what it has seen, and what shows that it may be relied on. */
type PollRow = Omit<OutboxPoll, 'changes' | 'database'> & {
  readonly isComplete: boolean;
  readonly isVisible: boolean;
  /** The process of PostgreSQL that carried it out. */
  readonly session: number;
  readonly changes: readonly [string, number, string | null][];
};

/** Of a connection, which lives no longer than the run of its server. */
interface Identity {
  readonly database: string;
  readonly session: number;
}

/**
 * Whether the session is this connection's alone. A pooler names itself at connecting; what is set
 * there would be the next client's.
 */
function isOwnSession(client: pg.Client, { session }: Identity): boolean {
  return (client as unknown as { readonly processID: number }).processID === session;
}

/** No poll depends on it. */
function settingsOf(role: string | undefined): string {
  const settings = { idle_session_timeout: IDLE_SESSION_TIMEOUT_MS, ...KEEPALIVE, ...(role && { role }) };
  const each = Object.entries(settings).map(
    ([name, value]) => `set_config('${name}', ${pg.escapeLiteral(String(value))}, false)`,
  );
  return `SELECT ${each.join(', ')}`;
}

/**
 * A connection of its own to PostgreSQL, by which one process reads the outbox of all tenants.
 */
export class OutboxReader {
  private constructor(
    private readonly client: pg.Client,
    private readonly identity: Identity,
  ) {}

  static async open({ url, role }: OutboxConnection): Promise<OutboxReader> {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'tenantry outbox reader',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: POLL_TIMEOUT_MS,
      keepAlive: true,
    });
    // A lost connection rejects the statement under way or the next one; without a listener it
    // would end the process.
    client.on('error', () => {});
    try {
      await client.connect();
      const { rows } = await client.query<Identity>(IDENTIFY);
      const identity = rows[0] as Identity;
      if (isOwnSession(client, identity)) await client.query(settingsOf(role));
      return new OutboxReader(client, identity);
    } catch (error) {
      await client.end().catch(() => {}); // the error to tell is the first one
      throw error;
    }
  }

  /**
   * @param after a poll's snapshot; without it no rows are read, only where the outbox stands
   * @throws OperatorError when what is written now may not be seen
   */
  async poll(after?: string): Promise<OutboxPoll> {
    const { xmax = null, inProgress = [] } = after === undefined ? {} : parseSnapshot(after);
    // Unnamed: a pooler may lead to a session that has no such statement.
    const { rows } = await this.client.query<PollRow>({ text: POLL, values: [xmax, inProgress] });
    if (!rows[0]) throw new Error('the poll of cache_outbox gave no row');
    const { changes, isComplete, isVisible, session, ...poll } = rows[0];
    this.#check({ isComplete, isVisible, session });
    return {
      ...poll,
      database: this.identity.database,
      changes: changes.map(([tenantId, dependencies, writeId]) => ({ tenantId, dependencies, writeId })),
    };
  }

  #check({ isComplete, isVisible, session }: Pick<PollRow, 'isComplete' | 'isVisible' | 'session'>): void {
    if (!isComplete)
      throw new StateError(
        'Triggers that tell of writes (cache_outbox_…) are missing or disabled. No kept answer is trusted.',
        'Run: npm run doctor, which names them and gives the SQL.',
      );
    if (!isVisible)
      throw new StateError(
        'The row-level security of cache_outbox hides rows from the service. No kept answer is trusted.',
        'Restore the policy "followed" of the migration cache_outbox, and drop every other one for SELECT.',
      );
    if (session !== this.identity.session)
      throw new StateError(
        'The connection to PostgreSQL goes through a pooler that shares sessions. No kept answer is trusted.',
        'Give DATABASE_DIRECT_URL a direct connection, or one to a pooler in session mode.',
      );
  }

  /** Takes the lock of this name until the connection ends, if nobody has it. Never waits. */
  async tryLock(name: string): Promise<boolean> {
    const { rows } = await this.client.query<{ locked: boolean }>(
      'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked',
      [name],
    );
    return rows[0]?.locked ?? false;
  }

  /**
   * Says in the database that the versions of this Redis may be trusted from now on.
   * @returns whether those of another one may be, too
   */
  async announceTrust(serverId: string, holder: string): Promise<boolean> {
    const { rows } = await this.client.query<{ others: boolean }>(
      `INSERT INTO cache_trust (server_id, holder) VALUES ($1, $2)
       ON CONFLICT (server_id) DO UPDATE SET holder = excluded.holder, renewed_at = now()
       RETURNING EXISTS (SELECT FROM cache_trust other WHERE other.server_id <> $1) AS others`,
      [serverId, holder],
    );
    return rows[0]?.others ?? true;
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}
