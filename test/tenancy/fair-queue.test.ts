import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { QueueLimits } from '../../src/config/queue-limits.ts';
import { FairQueue, type TurnRefused, type Waiter } from '../../src/tenancy/fair-queue.ts';
import { DIRECTORY, OPERATORS, STRANGERS, THE_SERVICE } from '../../src/tenancy/lanes.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const LIMITS: QueueLimits = { length: 100, timeoutMs: 5_000, tenantShare: 50 };
/** Longer than a tenant that was there is remembered. */
const FORGOTTEN_MS = 1_000;

/**
 * A queue, and what happened to those who entered it, by name: their tenant's letter, a number, and
 * perhaps a request's name.
 */
function open(connections: number, limits: Partial<QueueLimits> = {}) {
  const queue = new FairQueue({
    awaited: 'a place',
    places: connections,
    limits: { ...LIMITS, ...limits },
    now: Date.now,
  });
  const events: string[] = [];
  const waiters = new Map<string, Waiter | undefined>();
  const requests = new Map<string, object>();
  const enter = (...names: string[]) => {
    for (const name of names) {
      const refuse = ({ reason, limit }: TurnRefused) => events.push(`${name} refused: ${reason} ${limit}`);
      waiters.set(
        name,
        queue.enter(name[0] as string, () => events.push(name), refuse, requestOf(requests, name)),
      );
    }
  };
  return {
    queue,
    enter,
    leave: (...names: string[]) => names.forEach((name) => void queue.leave(name[0] as string)),
    cancel: (name: string) => queue.cancel(waiters.get(name) as Waiter),
    /** Since it was asked last. */
    happened: () => events.splice(0),
  };
}

/** Lets nothing else happen for this long. */
function busy(ms: number): void {
  for (const untilMs = performance.now() + ms; performance.now() < untilMs; );
}

/** Of a name such as "a3 of x"; each other name is a request of its own. */
function requestOf(known: Map<string, object>, name: string): object | undefined {
  const [, request] = name.split(' of ');
  if (request === undefined) return undefined;
  known.set(request, known.get(request) ?? {});
  return known.get(request);
}

describe('turns', () => {
  test('come at once while connections are free, without anything to cancel', () => {
    const { queue, happened } = open(2);
    const went = vi.fn();
    expect(queue.enter('a', went, () => {})).toBeUndefined();
    expect(went).toHaveBeenCalledOnce();
    expect(happened()).toEqual([]);
  });

  test('go from tenant to tenant, and within one in order', () => {
    const { enter, leave, happened } = open(1);
    enter('a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1');
    for (const name of ['a1', 'a2', 'b1', 'c1', 'a3', 'b2']) {
      expect(happened().at(-1)).toBe(name);
      leave(name);
    }
    expect(happened()).toEqual(['a4']);
  });

  test('of a tenant that comes late are not behind all who wait', () => {
    const { enter, leave, happened } = open(1);
    enter('a1', 'a2', 'a3', 'a4');
    leave('a1');
    enter('b1');
    happened();
    leave('a2');
    expect(happened()).toEqual(['a3']);
    leave('a3');
    expect(happened()).toEqual(['b1']);
  });
});

describe('a request that has waited', () => {
  test('goes ahead of those of its tenant that came later, and of no other tenant', () => {
    const { enter, leave, happened } = open(1);
    enter('a1', 'a2 of x', 'a3', 'b1', 'a4 of x');
    happened();
    for (const name of ['a1', 'a2 of x', 'b1', 'a4 of x']) leave(name);
    expect(happened()).toEqual(['a2 of x', 'b1', 'a4 of x', 'a3']);
  });

  test('is not refused for a full queue as long as later ones of its tenant are there', () => {
    const { enter, happened } = open(1, { length: 2 });
    enter('a1', 'a2 of x', 'a3', 'a4 of x', 'a5 of x');
    expect(happened()).toEqual(['a1', 'a3 refused: length 2', 'a5 of x refused: length 2']);
  });
});

describe('a share', () => {
  test('is all of the connections for a tenant that is alone', () => {
    const { enter, happened } = open(4);
    enter('a1', 'a2', 'a3', 'a4', 'a5');
    expect(happened()).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  test('holds as soon as another one waits: a tenant that has more gets none until it has less', () => {
    const { enter, leave, happened } = open(4);
    enter('a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'b1', 'b2', 'b3');
    happened();
    leave('a1', 'a2');
    expect(happened()).toEqual(['b1', 'b2']);
    leave('a3');
    expect(happened()).toEqual(['a5']);
  });

  test('is kept free for others for a second after they were there', () => {
    const { enter, leave, happened } = open(4);
    enter('b1');
    leave('b1');
    enter('a1', 'a2', 'a3');
    expect(happened()).toEqual(['b1', 'a1', 'a2']);
    enter('b2');
    expect(happened()).toEqual(['b2']);
    leave('b2');
    vi.advanceTimersByTime(FORGOTTEN_MS - 1);
    expect(happened()).toEqual([]);
    // Nobody comes or leaves: who waits is not forgotten with them.
    vi.advanceTimersByTime(1);
    expect(happened()).toEqual(['a3']);
    enter('a4');
    expect(happened()).toEqual(['a4']);
  });

  test.each([THE_SERVICE, DIRECTORY, STRANGERS, OPERATORS])(
    'is all of the connections for a tenant beside the lane %s, which has its turns and is kept to a share itself',
    (lane) => {
      const { queue, enter, leave, happened } = open(4);
      const enterLane = () =>
        void queue.enter(
          lane,
          () => happenedInLane.push(lane),
          () => {},
        );
      const happenedInLane: string[] = [];
      enterLane();
      queue.leave(lane);
      enter('a1', 'a2', 'a3', 'a4', 'a5', 'a6');
      expect(happened()).toEqual(['a1', 'a2', 'a3', 'a4']);
      for (let n = 0; n < 3; n++) enterLane();
      leave('a1', 'a2', 'a3');
      expect(happenedInLane).toHaveLength(1 + 2);
      expect(happened()).toEqual(['a5']);
    },
  );

  test.each([
    [1, 50, 1],
    [2, 50, 1],
    [3, 50, 2],
    [10, 50, 5],
    [10, 1, 1],
    [4, 100, 4],
  ])('of %i connections at %i %% is %i', (connections, tenantShare, share) => {
    const { enter, leave, happened } = open(connections, { tenantShare });
    enter('b1');
    leave('b1');
    enter(...Array.from({ length: 12 }, (_, index) => `a${index}`));
    expect(happened()).toHaveLength(1 + share);
  });
});

describe('a full queue', () => {
  test('refuses who comes next of the tenant that alone fills it, at once and by name of the limit', () => {
    const { queue, enter, happened } = open(1, { length: 2 });
    enter('a1', 'a2', 'a3', 'a4');
    expect(happened()).toEqual(['a1', 'a4 refused: length 2']);
    expect(queue.length).toBe(2);
    expect(queue.refusals).toEqual({ length: 1, time: 0 });
  });

  test('has room for another tenant at the cost of the last one of whoever has the most', () => {
    const { enter, leave, happened } = open(1, { length: 3 });
    enter('a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'b3');
    expect(happened()).toEqual(['a1', 'a4 refused: length 3', 'a3 refused: length 3', 'b3 refused: length 3']);
    leave('a1');
    leave('a2');
    expect(happened()).toEqual(['a2', 'b1']);
  });

  test('of no length lets nobody wait, and serves who need not', () => {
    const { enter, leave, happened } = open(1, { length: 0 });
    enter('a1', 'a2');
    leave('a1');
    enter('b1');
    expect(happened()).toEqual(['a1', 'a2 refused: length 0', 'b1']);
  });
});

describe('whoever waits', () => {
  test('is refused when the time is over, each at its own', () => {
    const { queue, enter, happened } = open(1, { timeoutMs: 100 });
    enter('a1', 'a2');
    vi.advanceTimersByTime(60);
    enter('b1');
    happened();
    vi.advanceTimersByTime(40);
    expect(happened()).toEqual(['a2 refused: time 100']);
    vi.advanceTimersByTime(60);
    expect(happened()).toEqual(['b1 refused: time 100']);
    expect(queue.length).toBe(0);
    expect(queue.refusals).toEqual({ length: 0, time: 2 });
  });

  test('has one time limit for this queue and the one before, whoever came here first', () => {
    const { queue, enter, leave, happened } = open(1, { timeoutMs: 100 });
    enter('a1', 'a2');
    const told: string[] = [];
    for (const [name, waitedMs] of [
      ['b1', 60],
      ['b2', 90],
      ['b3', 95],
    ] as const) {
      const refuse = ({ message }: TurnRefused) => told.push(`${name} ${message}`);
      queue.enter('b', () => told.push(name), refuse, undefined, Date.now() - waitedMs);
    }
    vi.advanceTimersByTime(5);
    expect(told.splice(0)).toEqual(['b3 waited 100 ms for a place']);
    vi.advanceTimersByTime(5);
    expect(told.splice(0)).toEqual(['b2 waited 100 ms for a place']);
    vi.advanceTimersByTime(29);
    leave('a1');
    leave('a');
    expect([happened(), told.splice(0)]).toEqual([['a1', 'a2'], ['b1']]);
    vi.advanceTimersByTime(1_000);
    expect([told, queue.length]).toEqual([[], 0]);
  });

  test('is not refused by a process that stood still, before that has heard of what ended meanwhile', () => {
    const { enter, leave, happened } = open(1, { timeoutMs: 100 });
    enter('a1', 'a2', 'a3');
    vi.setSystemTime(Date.now() + 10_000);
    vi.advanceTimersByTime(100);
    leave('a1');
    vi.advanceTimersByTime(1);
    expect(happened()).toEqual(['a1', 'a2', 'a3 refused: time 100']);
  });

  test.each([
    [60, 2],
    [20, 15], // a quarter of a second, and two
  ])('waits no longer than the time in a loop that takes %i ms for each turn, and %i turns', async (turnMs, turns) => {
    vi.useRealTimers();
    const timeoutMs = 150;
    const queue = new FairQueue({ awaited: 'a place', places: 1, limits: { ...LIMITS, timeoutMs } });
    const all: { readonly cameMs: number; dueIn?: number; refusedIn?: number }[] = [];
    let turn = 0;
    const enter = (tenant: string) => {
      const each: (typeof all)[number] = { cameMs: performance.now() };
      const refuse = () => {
        each.refusedIn = turn;
      };
      if (queue.enter(tenant, () => {}, refuse)) all.push(each);
    };
    enter('a'); // and keeps the place
    for (let n = 0; n < 20; n++) enter('b');
    for (; turn < 30; turn++) {
      if (turn < 5) for (let n = 0; n < 5; n++) enter('b');
      busy(turnMs);
      for (const each of all) if (each.cameMs + timeoutMs <= performance.now()) each.dueIn ??= turn;
      await new Promise(setImmediate);
    }
    expect(all).toHaveLength(45);
    for (const { dueIn = turn, refusedIn = Number.POSITIVE_INFINITY } of all)
      expect(refusedIn - dueIn).toBeLessThanOrEqual(turns);
  });

  test('takes no turn once it was cancelled, and no place', () => {
    const { queue, enter, leave, cancel, happened } = open(1);
    enter('a1', 'a2', 'b1', 'a3');
    cancel('a2');
    cancel('b1');
    expect([queue.length, queue.tenants.size]).toEqual([1, 1]);
    leave('a1');
    cancel('a3'); // it has its turn: nothing is left to cancel
    expect(happened()).toEqual(['a1', 'a3']);
  });

  test('is told what it has waited for, or how many do', () => {
    const { queue, enter } = open(1, { length: 1, timeoutMs: 100 });
    enter('a1');
    const told: string[] = [];
    for (let n = 0; n < 2; n++)
      queue.enter(
        'a',
        () => {},
        ({ message }) => told.push(message),
      );
    vi.advanceTimersByTime(100);
    expect(told).toEqual(['1 wait for a place already', 'waited 100 ms for a place']);
  });
});

/** The same rules in the plainest words: everything is looked for anew at every step. */
class PlainQueue {
  readonly happened: string[] = [];
  readonly running: string[] = [];
  #waiting: { name: string; sinceMs: number }[] = [];
  /** Whose turn comes first. */
  #turns: string[] = [];
  readonly #cameMs = new Map<string, number>();
  /** Requests that have waited, in that order. */
  readonly #requests: string[] = [];

  constructor(
    private readonly connections: number,
    private readonly limits: QueueLimits,
  ) {}

  enter(name: string, waitedMs: number): void {
    const tenant = name[0] as string;
    this.#cameMs.set(tenant, Date.now());
    if (this.running.length < this.connections && this.#count(tenant) === 0 && this.#mayHoldMore(tenant)) {
      this.#go(name);
      return;
    }
    const request = name.split(' of ')[1] ?? name;
    if (!this.#requests.includes(request)) this.#requests.push(request);
    if (this.#waiting.length >= this.limits.length) {
      const counts = this.#turns.map((other) => this.#count(other));
      const most = Math.max(0, ...counts);
      const victim = this.#count(tenant) === most ? tenant : (this.#turns[counts.indexOf(most)] as string);
      const last = this.#inOrder([...this.#of(victim), ...(victim === tenant ? [name] : [])]).at(-1) as string;
      this.#drop(last);
      this.happened.push(`${last} refused`);
      if (last === name) return;
    }
    this.#waiting.push({ name, sinceMs: Date.now() - waitedMs });
    if (!this.#turns.includes(tenant)) this.#turns.push(tenant);
    this.#advance();
  }

  leave(name: string): void {
    this.running.splice(this.running.indexOf(name), 1);
    this.#advance();
  }

  cancel(name: string): void {
    if (!this.#waiting.some((each) => each.name === name)) return;
    this.#drop(name);
    this.#advance();
  }

  pass(): void {
    for (const { name, sinceMs } of [...this.#waiting].sort((one, other) => one.sinceMs - other.sinceMs)) {
      if (sinceMs + this.limits.timeoutMs > Date.now() || !this.#waiting.some((each) => each.name === name)) continue;
      this.#drop(name);
      this.happened.push(`${name} refused`);
      break; // one in a turn of the event loop, which takes a millisecond of these timers
    }
    this.#advance();
  }

  #advance(): void {
    while (this.running.length < this.connections) {
      const tenant = this.#turns.find((each) => this.#mayHoldMore(each));
      if (tenant === undefined) return;
      const next = this.#of(tenant)[0] as string;
      this.#drop(next);
      this.#turns = this.#turns.filter((each) => each !== tenant);
      if (this.#count(tenant) > 0) this.#turns.push(tenant);
      this.#go(next);
    }
  }

  #go(name: string): void {
    this.running.push(name);
    this.happened.push(name);
  }

  #drop(name: string): void {
    this.#waiting = this.#waiting.filter((each) => each.name !== name);
    this.#turns = this.#turns.filter((tenant) => this.#count(tenant) > 0);
  }

  #of(tenant: string): string[] {
    return this.#inOrder(this.#waiting.map(({ name }) => name).filter((name) => name[0] === tenant));
  }

  #inOrder(names: string[]): string[] {
    const placeOf = (name: string) => this.#requests.indexOf(name.split(' of ')[1] ?? name);
    return names.sort((one, other) => placeOf(one) - placeOf(other));
  }

  #count(tenant: string): number {
    return this.#of(tenant).length;
  }

  #mayHoldMore(tenant: string): boolean {
    const others = [...this.#cameMs].filter(([other]) => other !== tenant);
    const isAlone = others.every(([other, cameMs]) => this.#count(other) === 0 && Date.now() - cameMs >= FORGOTTEN_MS);
    const held = this.running.filter((name) => name[0] === tenant).length;
    return isAlone || held < Math.max(1, Math.ceil((this.connections * this.limits.tenantShare) / 100));
  }
}

const ENTER = fc.record({
  kind: fc.constant('enter' as const),
  of: fc.nat(3),
  request: fc.nat(4),
  /** In a queue before this one. */
  waitedMs: fc.oneof(fc.constant(undefined), fc.nat(2_999)),
});
const STEP = fc.oneof(
  { weight: 5, arbitrary: ENTER },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('leave' as const), of: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), of: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), of: fc.integer({ min: 1, max: 1_500 }) }) },
);

test('any schedule gives the turns that the plainest words give, and loses nobody', () => {
  const cases = fc.record({
    connections: fc.integer({ min: 1, max: 4 }),
    limits: fc.record({
      length: fc.integer({ min: 0, max: 8 }),
      timeoutMs: fc.integer({ min: 1, max: 3_000 }),
      tenantShare: fc.integer({ min: 1, max: 100 }),
    }),
    steps: fc.array(STEP, { maxLength: 80 }),
  });
  fc.assert(
    fc.property(cases, ({ connections, limits, steps }) => {
      vi.advanceTimersByTime(10 * FORGOTTEN_MS);
      const queue = new FairQueue({ awaited: 'a place', places: connections, limits, now: Date.now });
      const plain = new PlainQueue(connections, limits);
      const happened: string[] = [];
      const waiters: [string, Waiter][] = [];
      const entered: string[] = [];
      const cancelled = new Set<string>();
      const requests = new Map<string, object>();
      for (const step of steps) {
        const { kind, of } = step;
        if (kind === 'enter') {
          const tenant = 'abcd'[of];
          const name = `${tenant}${entered.length}${step.request > 0 ? ` of ${tenant}-${step.request}` : ''}`;
          entered.push(name);
          const refuse = () => happened.push(`${name} refused`);
          const proceed = () => happened.push(name);
          const waitedMs = step.waitedMs && Math.min(step.waitedMs, limits.timeoutMs - 1);
          const sinceMs = waitedMs === undefined ? undefined : Date.now() - waitedMs;
          const waiter = queue.enter(name[0] as string, proceed, refuse, requestOf(requests, name), sinceMs);
          if (waiter) waiters.push([name, waiter]);
          plain.enter(name, waitedMs ?? 0);
        } else if (kind === 'leave' && plain.running.length > 0) {
          const name = plain.running[of % plain.running.length] as string;
          queue.leave(name[0] as string);
          plain.leave(name);
        } else if (kind === 'cancel' && waiters.length > 0) {
          const [name, waiter] = waiters[of % waiters.length] as [string, Waiter];
          if (!happened.includes(name) && !happened.includes(`${name} refused`)) cancelled.add(name);
          queue.cancel(waiter);
          plain.cancel(name);
        } else if (kind === 'pass') {
          for (let ms = 0; ms < of; ms++) {
            vi.advanceTimersByTime(1);
            plain.pass();
          }
        }
        expect(happened).toEqual(plain.happened);
      }
      for (let name = plain.running[0]; name !== undefined; name = plain.running[0]) {
        queue.leave(name[0] as string);
        plain.leave(name);
      }
      expect(queue.length).toBe(0);
      const ended = new Set([...happened.map((event) => event.replace(' refused', '')), ...cancelled]);
      expect(ended.size).toBe(entered.length);
      expect(happened.length + cancelled.size).toBe(entered.length);
    }),
    { numRuns: 300 },
  );
});
