import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Caller, Role } from '../../src/auth/caller.ts';
import { Budget } from '../../src/budget/budget.ts';
import { RequestContext } from '../../src/context/request-context.ts';
import type { Services } from '../../src/context/services.ts';
import { RequestTiming } from '../../src/monitoring/request-timing.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';

const SCOPE = TenantScope.ofOperatorCommand('0190c5a0-0000-7000-8000-000000000001');
const CALLERS: readonly Caller[] = [
  {
    subject: 'ann',
    name: 'Ann',
    role: Role.ADMIN,
    tenant: { scope: SCOPE, slug: 'north', pointsPerMinute: 50 },
  },
  { subject: 'ola', name: 'Ola', role: Role.OPERATOR, tenant: null },
];

/** As Apollo Server copies a context. */
const copyOf = (context: RequestContext): RequestContext =>
  Object.assign(Object.create(Object.getPrototypeOf(context)), context);

/** Who charges, next to the request itself. */
const COPIES: readonly ((context: RequestContext) => RequestContext)[] = [
  (context) => context,
  copyOf,
  (context) => context.reading(SCOPE.within({})),
  (context) => copyOf(context).reading(SCOPE.within({})),
];

test('what a request tells as charged is what its budgets lost by it, whichever copy of it charged', async () => {
  const step = fc.record({ of: fc.nat(COPIES.length - 1), points: fc.nat(30), isKept: fc.boolean() });
  const cases = fc.record({
    caller: fc.constantFrom(...CALLERS),
    limit: fc.integer({ min: 1, max: 100 }),
    others: fc.nat(40),
    steps: fc.array(step, { maxLength: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ caller, limit, others, steps }) => {
      const limits = { name: 'test', perCaller: limit, anonymous: 1_000, perTenant: 1_000, takesOwn: true };
      const budget = new Budget(limits, undefined);
      const context = new RequestContext(caller, { budget } as Services, new RequestTiming());
      const kept = COPIES.map((copy) => copy(context)); // and others are made when they charge
      budget.charge(caller, others); // by another request
      let taken = 0;
      for (const { of, points, isKept } of steps) {
        const left = await budget.allowances(caller);
        const isSpent = left.caller.remaining < 1 || (left.tenant?.remaining ?? 1) < 1;
        const copy = COPIES[of] as (typeof COPIES)[number];
        (isKept ? (kept[of] as RequestContext) : copy(context)).charge(points);
        if (!isSpent) taken += points;
        for (const each of [context, ...kept]) expect(each.charged).toBe(taken);
      }
      await budget.close();
    }),
  );
});
