import { KEY_PLACEHOLDER, type LoadWrites } from './load-job.ts';

const COUNT = Buffer.from('"transactionCount":');
/**
 * After the totals, which the bench's dashboard selects first, come the days, with counts of their
 * own.
 */
const END_OF_TOTALS = Buffer.from('"series":');

/**
 * Decides which requests write, and knows of each tenant how many transactions a read must show:
 * those that were there at the begin and those whose writing was acknowledged before the read was
 * sent.
 */
export class WriteMix {
  readonly #known = new Map<number, number>();
  readonly #acknowledged = new Map<number, number>();
  #nextKey = 0;
  #seed = 1;

  constructor(private readonly writes: LoadWrites) {}

  /**
   * Whether the next request writes. A tenant is read before it is written, so that its count is
   * known. By chance: every twentieth request of 200 tenants in turn would write the same ten for
   * ever, and never read them.
   */
  isWrite(tenant: number): boolean {
    return this.#known.has(tenant) && this.#random() < this.writes.share;
  }

  bytesOf(tenant: number): Buffer {
    const key = `${this.writes.keyPrefix}${this.#nextKey++}`.padEnd(KEY_PLACEHOLDER.length, '-');
    const bytes = Buffer.from(this.writes.requests[tenant] ?? '');
    bytes.write(key, bytes.indexOf(KEY_PLACEHOLDER), 'latin1');
    return bytes;
  }

  /** @throws when the write was not accepted */
  acknowledge(tenant: number, body: Buffer): void {
    if (!body.includes(this.writes.accepted)) throw new Error(`a write was refused: ${body.toString('utf8', 0, 500)}`);
    this.#acknowledged.set(tenant, (this.#acknowledged.get(tenant) ?? 0) + 1);
  }

  /**
   * The least count that a read which is sent now must show; undefined before the tenant's first
   * read.
   */
  leastCount(tenant: number): number | undefined {
    const known = this.#known.get(tenant);
    return known === undefined ? undefined : known + (this.#acknowledged.get(tenant) ?? 0);
  }

  /** Whether a read of the tenant can show that an acknowledged write was lost. */
  hasWritten(tenant: number): boolean {
    return this.#acknowledged.has(tenant);
  }

  /** @returns whether the read shows every write that was acknowledged before it was sent */
  isFresh(tenant: number, least: number | undefined, body: Buffer): boolean {
    const count = transactionsIn(body);
    if (!this.#known.has(tenant)) this.#known.set(tenant, count);
    return least === undefined || count >= least;
  }

  /**
   * Between 0 and 1, the same in each run (a linear congruential generator; the constants are
   * Numerical Recipes').
   */
  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#seed / 2 ** 32;
  }
}

/** Sum of the counts in a dashboard's totals, one for each currency. */
export function transactionsIn(body: Buffer): number {
  const end = body.indexOf(END_OF_TOTALS);
  let sum = 0;
  for (let at = body.indexOf(COUNT); at !== -1 && at < end; at = body.indexOf(COUNT, at + 1)) {
    sum += Number.parseInt(body.toString('latin1', at + COUNT.length, at + COUNT.length + 15), 10);
  }
  return sum;
}
