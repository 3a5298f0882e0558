import { performance } from 'node:perf_hooks';
import type { QueueLimits } from '../config/queue-limits.ts';
import { isOfNoTenant } from './lanes.ts';
import { RecentTenants } from './recent-tenants.ts';

/**
 * A timer that is called so much later than it asked for shows that nothing at all was done
 * meanwhile, or that the process is behind with what it has to do.
 */
const STALL_MS = 50;

/** Who has waited so much longer than the limit is refused together with others. */
const LATE_MS = 250;

/** What a turn was refused for: too many wait, or too long. */
export type RefusalReason = 'length' | 'time';

/** Nothing was sent to the database, since others keep it busy. */
export class TurnRefused extends Error {
  override readonly name = 'TurnRefused';

  /**
   * @param limit how many wait at most, or how many milliseconds each does
   * @param awaited what for, for example "a connection"
   */
  constructor(
    readonly reason: RefusalReason,
    readonly limit: number,
    awaited: string,
  ) {
    super(reason === 'length' ? `${limit} wait for ${awaited} already` : `waited ${limit} ms for ${awaited}`);
  }
}

export interface FairQueueOptions {
  /** What is waited for, as `TurnRefused` says it. */
  readonly awaited: string;
  /** How many may have it at once. */
  readonly places: number;
  readonly limits: QueueLimits;
  /** In milliseconds; `performance.now` when absent. */
  readonly now?: () => number;
  /**
   * Whether anybody may have a turn now; when that changes, `advance` must follow. At any time when
   * absent.
   */
  readonly hasTime?: () => boolean;
}

/** Somebody who waits for a place. */
export interface Waiter {
  readonly tenant: string;
  /** Among those of its tenant: smaller is earlier. */
  readonly place: number;
  /** Since when it waits, here or in another queue before. */
  readonly sinceMs: number;
  readonly proceed: () => void;
  readonly refuse: (error: TurnRefused) => void;
}

/**
 * Who has the next of a number of places, such as connections.
 *
 * - Tenants have their turns one after another, however much each of them asks for.
 * - Within a tenant, the request that waited first comes first with all that it sends: what has
 *   begun is finished.
 * - A tenant has at most its share of the places while another one needs some, or did so within the
 *   last second. Otherwise it may have all of them.
 * - When too many wait, the last one of the tenant with the most is refused. It has not begun.
 *
 * It knows nothing of connections: who has its turn is called, and says when it is over.
 */
export class FairQueue {
  readonly refusals: Record<RefusalReason, number> = { length: 0, time: 0 };
  #free: number;
  readonly #share: number;
  /** Places in use by tenant; none has zero. */
  readonly #held = new Map<string, number>();
  /** Who waits, by tenant and by place; the tenants in the order of their turns. None is empty. */
  readonly #lanes = new Map<string, Waiter[]>();
  /** All who wait, in the order in which they came. */
  readonly #waiting = new Set<Waiter>();
  /** Of these, who waited in another queue before: few, and in no order of their time limits. */
  readonly #carriedOver = new Set<Waiter>();
  /** Of requests that have waited. */
  readonly #places = new WeakMap<object, number>();
  #lastPlace = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer is to be called. */
  #dueMs = 0;
  /** When it was called last: what had ended by then is heard before it is called again. */
  #lookedMs = Number.NEGATIVE_INFINITY;
  readonly #recent = new RecentTenants();
  readonly #options: FairQueueOptions;

  constructor(options: FairQueueOptions) {
    const { places, limits } = options;
    this.#options = options;
    this.#free = places;
    this.#share = Math.max(1, Math.ceil((places * limits.tenantShare) / 100));
  }

  /** How many wait. */
  get length(): number {
    return this.#waiting.size;
  }

  /** Those that have somebody who waits; lanes of no tenant are none. */
  get tenants(): ReadonlySet<string> {
    return new Set([...this.#lanes.keys()].filter((lane) => !isOfNoTenant(lane)));
  }

  /**
   * Calls `proceed` when it is the tenant's turn, at once if it can; `leave` must follow then. Or
   * `refuse`, once.
   * @param request that it is for; each without one is a request of its own
   * @param waitingSinceMs of who waited in another queue before: its time limit is one for both
   * @returns what to `cancel`; undefined when one of the two was called at once
   */
  enter(
    tenant: string,
    proceed: () => void,
    refuse: (error: TurnRefused) => void,
    request?: object,
    waitingSinceMs?: number,
  ): Waiter | undefined {
    const nowMs = this.noteTenant(tenant);
    if (this.#free > 0 && !this.#lanes.has(tenant) && this.#mayHoldMore(tenant, nowMs) && this.#hasTime()) {
      this.#take(tenant);
      proceed();
      return undefined;
    }
    const waiter = { tenant, place: this.#placeOf(request), sinceMs: waitingSinceMs ?? nowMs, proceed, refuse };
    if (this.#waiting.size >= this.#mostWaiting() && !this.#makeRoomFor(waiter)) {
      this.#refuse(waiter, 'length');
      return undefined;
    }
    this.#line(waiter);
    if (waitingSinceMs !== undefined) this.#carriedOver.add(waiter);
    this.advance();
    return this.#waiting.has(waiter) ? waiter : undefined;
  }

  /** Somebody waits no longer; neither of its functions is called. */
  cancel(waiter: Waiter): void {
    if (!this.#waiting.has(waiter)) return;
    this.#remove(waiter);
    this.advance(); // it may be what kept another tenant to its share
  }

  #remove(waiter: Waiter): void {
    this.#forget(waiter);
    const lane = this.#lanes.get(waiter.tenant) as Waiter[];
    lane.splice(lane.indexOf(waiter), 1);
    if (lane.length === 0) this.#lanes.delete(waiter.tenant);
  }

  #forget(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    this.#carriedOver.delete(waiter);
  }

  /** A tenant's turn is over. */
  leave(tenant: string): void {
    const held = (this.#held.get(tenant) as number) - 1;
    if (held > 0) this.#held.set(tenant, held);
    else this.#held.delete(tenant);
    this.#free++;
    this.advance();
  }

  /**
   * Gives turns to whoever may have one: where they take time, to one. What that begins is done
   * only when this returns, and is followed by another call.
   */
  advance(): void {
    do {
      if (this.#free === 0) break;
      const lane = this.#nextLane();
      // Last, since it asks to be called again.
      if (lane === undefined || !this.#hasTime()) break;
      const next = this.#firstOf(lane);
      this.#take(next.tenant);
      next.proceed();
    } while (!this.#options.hasTime);
    this.#wakeInTime();
  }

  #hasTime(): boolean {
    return this.#options.hasTime?.() ?? true;
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now();
  }

  /** The first tenant with somebody who waits that may hold more. */
  #nextLane(): string | undefined {
    const nowMs = this.#now();
    for (const tenant of this.#lanes.keys()) if (this.#mayHoldMore(tenant, nowMs)) return tenant;
    return undefined;
  }

  /** Takes the first of those who wait out of a tenant's lane, which goes to the end then. */
  #firstOf(tenant: string): Waiter {
    const lane = this.#lanes.get(tenant) as Waiter[];
    const waiter = lane.shift() as Waiter;
    this.#lanes.delete(tenant);
    if (lane.length > 0) this.#lanes.set(tenant, lane);
    this.#forget(waiter);
    return waiter;
  }

  #take(tenant: string): void {
    this.#free--;
    this.#held.set(tenant, (this.#held.get(tenant) ?? 0) + 1);
  }

  #mayHoldMore(tenant: string, nowMs: number): boolean {
    const held = this.#held.get(tenant);
    return held === undefined || held < this.#share || !this.#othersNeedSome(tenant, nowMs);
  }

  #othersNeedSome(tenant: string, nowMs: number): boolean {
    if (this.#lanes.size > (this.#lanes.has(tenant) ? 1 : 0)) return true;
    return nowMs < this.#recent.othersUntilMs(tenant);
  }

  /**
   * A tenant is active, here or elsewhere: others are kept to their share. A lane of no tenant
   * keeps nobody to it, but while it waits. @returns the time
   */
  noteTenant(tenant: string): number {
    const nowMs = this.#now();
    this.#recent.note(tenant, nowMs);
    return nowMs;
  }

  #placeOf(request: object | undefined): number {
    const known = request && this.#places.get(request);
    if (known !== undefined) return known;
    const place = ++this.#lastPlace;
    if (request) this.#places.set(request, place);
    return place;
  }

  #line(waiter: Waiter): void {
    this.#waiting.add(waiter);
    const lane = this.#lanes.get(waiter.tenant);
    if (!lane) this.#lanes.set(waiter.tenant, [waiter]);
    else lane.splice(lane.findLastIndex(({ place }) => place <= waiter.place) + 1, 0, waiter);
  }

  /** Who could have a place waits for the next turn of the event loop alone. */
  #mostWaiting(): number {
    return this.#options.limits.length + (this.#hasTime() ? 0 : this.#free);
  }

  /**
   * @returns whether there is room now: not when the newcomer is the last one of the tenant with
   *   the most
   */
  #makeRoomFor({ tenant, place }: Waiter): boolean {
    let longest = this.#lanes.get(tenant) ?? [];
    for (const lane of this.#lanes.values()) if (lane.length > longest.length) longest = lane;
    const last = longest.at(-1);
    if (!last || (last.tenant === tenant && last.place <= place)) return false;
    this.#remove(last);
    this.#refuse(last, 'length');
    return true;
  }

  /** Refuses who has waited too long, and looks whether others are forgotten by now. */
  readonly #look = (): void => {
    this.#timer = undefined;
    const nowMs = this.#now();
    const lookedMs = this.#lookedMs;
    this.#lookedMs = nowMs;
    const isBehind = nowMs - lookedMs > STALL_MS;
    for (let first = this.#first(); first; first = this.#first()) {
      const dueMs = first.sinceMs + this.#options.limits.timeoutMs;
      if (dueMs > nowMs) break;
      const wasDue = dueMs <= lookedMs;
      // A process that stood still first hears what has ended meanwhile, and then acts.
      if (!wasDue && nowMs - dueMs > STALL_MS) break;
      this.cancel(first);
      this.#refuse(first, 'time');
      // One in a turn of the event loop: who came together has waited too long together, and what
      // the refusals bring with them would hold up everybody else.
      if (!wasDue || (!isBehind && nowMs - dueMs <= LATE_MS)) break;
    }
    this.advance();
  };

  /** Whose time limit ends first. */
  #first(): Waiter | undefined {
    let [first] = this.#waiting;
    for (const waiter of this.#carriedOver) if (first && waiter.sinceMs < first.sinceMs) first = waiter;
    return first;
  }

  /**
   * For the first who will have waited too long, or when the only tenant that waits may hold more
   * than its share.
   */
  #wakeInTime(): void {
    const first = this.#first();
    if (!first) return;
    const tooLateMs = first.sinceMs + this.#options.limits.timeoutMs;
    const isAlone = this.#free > 0 && this.#lanes.size === 1;
    this.#wakeAt(isAlone ? Math.min(tooLateMs, this.#recent.othersUntilMs(first.tenant)) : tooLateMs);
  }

  #wakeAt(atMs: number): void {
    if (this.#timer && this.#dueMs <= atMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = atMs;
    this.#timer = setTimeout(this.#look, Math.max(0, Math.ceil(atMs - this.#now()))).unref();
  }

  #refuse(waiter: Waiter, reason: RefusalReason): void {
    this.refusals[reason]++;
    const limit = reason === 'length' ? this.#options.limits.length : this.#options.limits.timeoutMs;
    waiter.refuse(new TurnRefused(reason, limit, this.#options.awaited));
  }
}
