import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import pg from 'pg';
import { asTenant, type Explainable, explain } from '../database/explain.ts';
import { nodesOf, type PlanNode, planLines } from '../database/plan.ts';
import type { Queryable } from '../database/read-indexes.ts';
import type { StatementEvent } from '../tenancy/statement-event.ts';
import { shortCopy } from './short-copy.ts';
import { isPlainRead, withoutValues } from './sql-values.ts';

/** A shape's plan changes with its table's statistics, not from one call to the next. */
const SAMPLE_INTERVAL_MS = 60_000;
/** More than the product has; what odd combinations of filters add is forgotten first. */
const MAX_SHAPES = 500;
const MAX_PLAN_LENGTH = 10_000;
const MAX_ADVICE_LENGTH = 1_000;

const CONNECT_TIMEOUT_MS = 2_000;
/**
 * A plan takes milliseconds. One that waits for a lock, or for a busy server, is not worth waiting
 * for.
 */
const PLANNER_SETTINGS = { transaction_read_only: 'on', statement_timeout: '1000', lock_timeout: '100' };

/** Nodes that change rows or lock them. */
const WRITING_NODES = new Set(['ModifyTable', 'LockRows']);

/** What is needed of a statement to plan it once more. */
export type PlannedStatement = Pick<StatementEvent, 'sql' | 'values' | 'tenantId'>;

/** A plan as it is kept and shown: without values. */
export interface SlowPlan {
  readonly text: string;
  /** What indexes do for the statement; null when there is nothing to say. */
  readonly advice: string | null;
}

/** Says what indexes do for a statement, in the transaction that planned it, and without its values. */
export type Advise = (client: Queryable, statement: Explainable, plan: PlanNode) => Promise<string | null>;

/**
 * Plans slow statements once more, with their values and as their tenant, and never runs them. On a
 * connection of its own for each plan, which no request waits for, one at a time; what comes
 * meanwhile goes without, and so does a shape that was planned within the last minute. Only what
 * reads, in a read-only transaction. Values leave it as `?`.
 */
export class SlowPlans {
  readonly #planned = new LRUCache<string, true>({ max: MAX_SHAPES, ttl: SAMPLE_INTERVAL_MS });
  #running: Promise<unknown> | null = null;

  /**
   * @param url as the service connects
   * @param onError told that a plan could not be had, by SQLSTATE or the driver's code: messages
   *   hold values
   * @param advise absent: the plans come without advice
   */
  constructor(
    private readonly url: string,
    private readonly onError: (code: string) => void,
    private readonly advise: Advise = async () => null,
  ) {}

  /**
   * Never rejects.
   * @returns null when there is no plan for this statement
   */
  async planOf(statement: PlannedStatement): Promise<SlowPlan | null> {
    if (this.#running || !isPlainRead(statement.sql) || !this.#isDue(statement.sql)) return null;
    const plan = this.#explain(statement).catch(this.#failed);
    this.#running = plan;
    try {
      return await plan;
    } finally {
      this.#running = null;
    }
  }

  /** Resolves when no plan is under way. */
  async close(): Promise<void> {
    await this.#running;
  }

  #isDue(sql: string): boolean {
    const shape = createHash('sha1').update(sql).digest('base64');
    if (this.#planned.has(shape)) return false;
    this.#planned.set(shape, true);
    return true;
  }

  readonly #failed = (error: { code?: string }): null => {
    this.onError(error.code ?? 'unknown');
    return null;
  };

  async #explain({ sql, values, tenantId }: PlannedStatement): Promise<SlowPlan | null> {
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'tenantry plans',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    client.on('error', () => {}); // a lost connection rejects the statement under way as well
    await client.connect();
    try {
      const statement = { text: sql, values };
      return await asTenant(client, tenantId, () => this.#plan(client, statement), PLANNER_SETTINGS);
    } finally {
      await client.end();
    }
  }

  /** Null for a plan that writes, which `isPlainRead` should have kept away. */
  async #plan(client: Queryable, statement: Explainable): Promise<SlowPlan | null> {
    const plan = await explain(client, statement);
    if (nodesOf(plan).some((node) => WRITING_NODES.has(node['Node Type']))) return null;
    const text = shortCopy(planLines(plan, withoutValues).join('\n'), MAX_PLAN_LENGTH);
    const advice = await this.advise(client, statement, plan).catch(this.#failed);
    return { text, advice: advice && shortCopy(advice, MAX_ADVICE_LENGTH) };
  }
}
