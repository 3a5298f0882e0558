import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastRedis } from '../redis/redis.ts';
import { REVOCATION_CHANNEL, type Revoked } from '../redis/redis-scripts.ts';
import type { RedisSubscription } from '../redis/redis-subscription.ts';

/** Timers may ring a millisecond early, and clocks do not run quite alike. */
const MARGIN_MS = 5;
/** The message's first word, which processes of earlier releases understand, too. */
const REVOKED = 'recall';

/** A revocation that was sent, or is about to be. */
interface Sent {
  /** Processes that have given up their leases. */
  readonly heardBy: Set<string>;
  onHeard?: () => void;
}

/**
 * How processes tell one another that a tenant's versions were bumped: the script that bumps sends
 * a message to each that has a lease on them; each drops its lease and says so. Only then does
 * whoever bumped go on. It waits for one that does not say so until that one's lease is over.
 */
export class LeaseRevocations {
  /** This process, among those that share the Redis. */
  readonly processId = randomUUID();
  readonly #sent = new Map<number, Sent>();
  readonly #subscription: RedisSubscription;
  #lastNumber = 0;

  /** @param onRevoked drops the lease on a tenant's versions */
  constructor(
    private readonly redis: FastRedis,
    private readonly onRevoked: (tenantId: string) => void,
  ) {
    this.#subscription = redis.subscribe(REVOCATION_CHANNEL + this.processId, (message) => this.#receive(message));
  }

  /** Whether this process would hear of a revocation; else it should take no lease. */
  get isListening(): boolean {
    return this.#subscription.isActive;
  }

  /**
   * Sends a bump.
   * @param bump is given the message that its script is to send
   * @returns what it gave, and when no other process takes what was before it for current any more;
   *   undefined when none does
   */
  async send<Result>(
    tenantId: string,
    bump: (message: string) => Promise<[Result, Revoked?]>,
  ): Promise<{ result: Result; heard: Promise<void> | undefined }> {
    const number = ++this.#lastNumber;
    // Before the bump is sent: a process may have heard before its answer is here.
    const sent: Sent = { heardBy: new Set() };
    this.#sent.set(number, sent);
    let heard: Promise<void> | undefined;
    try {
      const [result, revoked] = await bump(`${REVOKED} ${this.processId} ${number} ${tenantId}`);
      heard = revoked && untilHeard(sent, revoked);
      return { result, heard };
    } finally {
      const forget = () => void this.#sent.delete(number);
      if (heard) heard.then(forget);
      else forget();
    }
  }

  close(): void {
    this.#subscription.close();
  }

  #receive(message: string): void {
    const [kind, processId = '', number, tenantId = ''] = message.split(' ');
    if (kind === REVOKED) {
      this.onRevoked(tenantId);
      // When it does not arrive, the other one waits until the lease is over. FastRedis has told
      // of it.
      this.redis.publish(REVOCATION_CHANNEL + processId, `heard ${this.processId} ${number}`).catch(() => {});
    } else if (kind === 'heard') {
      const sent = this.#sent.get(Number(number));
      sent?.heardBy.add(processId);
      sent?.onHeard?.();
    }
  }
}

/**
 * Waits at once for those that are known of and those that are not: each lease ends by itself.
 * @returns undefined when nobody is to be waited for; else what never rejects
 */
function untilHeard(sent: Sent, [unknownMs, ...lessees]: Revoked): Promise<void> | undefined {
  const unknown = unknownMs > 0 ? delay(unknownMs + MARGIN_MS) : undefined;
  const known = untilHeardBy(sent, lessees);
  return unknown && known ? Promise.all([unknown, known]).then(() => {}) : (unknown ?? known);
}

function untilHeardBy(sent: Sent, lessees: readonly (string | number)[]): Promise<void> | undefined {
  const until = new Map<string, number>();
  for (let index = 0; index < lessees.length; index += 2) until.set(String(lessees[index]), Number(lessees[index + 1]));
  const missing = () => [...until.keys()].filter((id) => !sent.heardBy.has(id));
  if (missing().length === 0) return undefined;
  const waiting = new AbortController();
  sent.onHeard = () => {
    if (missing().length === 0) waiting.abort();
  };
  const ms = Math.max(...missing().map((id) => until.get(id) ?? 0)) + MARGIN_MS;
  return delay(ms, undefined, { signal: waiting.signal }).catch(() => {}); // ended early: all have heard
}
