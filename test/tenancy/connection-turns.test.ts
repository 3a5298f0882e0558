import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { type Asked, ConnectionTurns } from '../../src/tenancy/connection-turns.ts';
import { RunningStatements } from '../../src/tenancy/running-statements.ts';

const TENANTS = ['a', 'b'];
/** Of each tenant. */
const REQUESTS = 4;
const NEVER_MS = 3_600_000;

type Step =
  | { readonly do: 'ask'; readonly tenant: number; readonly request: number; readonly isSearch: boolean }
  | { readonly do: 'giveBack'; readonly which: number }
  | { readonly do: 'abandon'; readonly tenant: number; readonly request: number };

const tenant = fc.nat({ max: TENANTS.length - 1 });
const request = fc.nat({ max: REQUESTS - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('ask' as const), tenant, request, isSearch: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('giveBack' as const), which: fc.nat({ max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abandon' as const), tenant, request }) },
);

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Turns for connections that are nothing but names: who has which is all that is looked at. */
function open(max: number, queueLength: number, requestStatements: number) {
  const pool = Object.assign(new EventEmitter(), { options: { max } }) as unknown as pg.Pool;
  const running = new RunningStatements(requestStatements);
  let lent = 0;
  const connect = (done: (error: undefined, client: pg.PoolClient) => void) => {
    lent++;
    queueMicrotask(() => done(undefined, { release: () => lent-- } as unknown as pg.PoolClient));
  };
  const turns = new ConnectionTurns(pool, connect as never, running, {
    queue: { length: queueLength, timeoutMs: NEVER_MS, tenantShare: 50 },
    searchShare: 50,
  });
  const held: { client: pg.PoolClient; asked: Asked }[] = [];
  const ask = (asked: Asked) =>
    turns.checkOut(asked).then(
      (client) => void held.push({ client, asked }),
      () => {}, // refused: it holds nothing
    );
  const giveBack = (which: number) => {
    const [one] = held.splice(which % Math.max(1, held.length), 1);
    if (one) turns.giveBack(one.client, one.asked, false);
  };
  return { running, turns, held, ask, giveBack, lent: () => lent };
}

test('no connection is lost, whoever is refused or leaves', { timeout: 120_000 }, async () => {
  const cases = fc.record({
    max: fc.integer({ min: 1, max: 4 }),
    queueLength: fc.integer({ min: 0, max: 4 }),
    requestStatements: fc.integer({ min: 1, max: 3 }),
    steps: fc.array(step, { maxLength: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ max, queueLength, requestStatements, steps }) => {
      const { running, turns, held, ask, giveBack, lent } = open(max, queueLength, requestStatements);
      const requests = TENANTS.map(() => Array.from({ length: REQUESTS }, () => ({})));
      const asking: Promise<void>[] = [];
      for (const step of steps) {
        if (step.do === 'ask')
          asking.push(
            ask({
              tenantId: TENANTS[step.tenant] as string,
              request: requests[step.tenant]?.[step.request],
              isSearch: step.isSearch,
            }),
          );
        else if (step.do === 'giveBack') giveBack(step.which);
        else running.abandon(requests[step.tenant]?.[step.request] as object);
        if (step.do !== 'ask') await settled();
        expect(lent()).toBeLessThanOrEqual(max);
      }
      for (await settled(); held.length > 0; await settled()) giveBack(0);
      await Promise.all(asking);
      expect([lent(), turns.figures.length]).toEqual([0, 0]);
      const asked = (index: number) => ({ tenantId: TENANTS[index % 2] as string, request: {} });
      await Promise.all(Array.from({ length: max }, (_, index) => ask(asked(index))));
      expect(held).toHaveLength(max);
    }),
    { numRuns: 2_000 },
  );
});
