import { setImmediate } from 'node:timers/promises';
import { createTestDatabase } from '../../support/postgres.ts';
import { insertTwins } from '../../support/twin-tenants.ts';
import type { Difference } from './difference.ts';
import { openExecutions } from './executions.ts';
import { differenceInProcess } from './in-process.ts';
import { type GeneratedOperation, generateOperation } from './operation-generator.ts';
import { differenceThroughCache, startCachedAndPlain } from './through-cache.ts';

/** One operation in so many also goes through HTTP and the cache. */
const THROUGH_CACHE_EVERY = 20;
/** While one waits for the database, others go on. */
const AT_A_TIME = 8;

export interface FuzzOptions {
  readonly operations: number;
  /** Of the first operation; each one after it has the next. */
  readonly seed: number;
  /** Called after each operation. */
  readonly onOperation?: (done: number, difference: Difference | undefined) => void;
}

export interface FuzzReport {
  readonly differences: number;
  /** The first of them. */
  readonly first: Difference | undefined;
  /** Executions by compiled code. */
  readonly compiled: number;
  /** Answers from the cache. */
  readonly hits: number;
  /** Of these the service computed once more by itself, and found equal or not. */
  readonly checked: Readonly<Record<'equal' | 'differs', number>>;
}

/**
 * Executes generated operations in every way there is, on a database of its own, and compares the
 * answers.
 */
export async function runFuzz({ operations, seed, onOperation = () => {} }: FuzzOptions): Promise<FuzzReport> {
  const database = await createTestDatabase();
  await insertTwins(database.url);
  const executions = await openExecutions(database.url);
  const services = await startCachedAndPlain(database);
  const found: Difference[] = [];
  let [next, done] = [seed, 0];
  let last: Promise<unknown> = Promise.resolve();
  // One after another: on a busy machine several at once would wait for a connection longer than a
  // request does.
  const throughCache = (seed: number, generated: GeneratedOperation) => {
    const turn = last.then(() => differenceThroughCache(services, seed, generated));
    last = turn.catch(() => {});
    return turn;
  };
  const compare = async (seed: number) => {
    const generated = generateOperation(executions.schema, seed);
    const difference = await differenceInProcess(executions, seed, generated);
    if (difference || seed % THROUGH_CACHE_EVERY > 0) return difference;
    return throughCache(seed, generated);
  };
  const work = async () => {
    while (next < seed + operations) {
      const difference = await compare(next++);
      if (difference) found.push(difference);
      onOperation(++done, difference);
      // What is known already is answered without waiting: connections and timers must have their
      // turn.
      await setImmediate();
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    const { jit } = executions.executor.counts;
    const { consistency } = services.cached.services.monitor;
    const [equal = 0, differs = 0] = [consistency.get('equal'), consistency.get('differs')];
    const checked = { equal, differs };
    return { differences: found.length, first: found[0], compiled: jit, hits: services.hits, checked };
  } finally {
    await services.close();
    await executions.close();
    await database.drop();
  }
}
