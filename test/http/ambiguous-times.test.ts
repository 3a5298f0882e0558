import { expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { ConsistencyMeter, type SentHit } from '../../src/http/consistency-meter.ts';
import type { ConsistencyResult } from '../../src/monitoring/cache-statistics.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { until } from '../support/until.ts';

const TENANT = '11111111-1111-4111-8111-111111111111';
const answer = (bank: string, at: string) =>
  Buffer.from(JSON.stringify({ data: { dashboard: { bankName: at }, accounts: { nodes: [{ bankName: bank }] } } }));

/** What the meter says of an answer that shows another bank, and another time, than PostgreSQL. */
async function verdict(query: string): Promise<ConsistencyResult | undefined> {
  let said: ConsistencyResult | undefined;
  const meter = new ConsistencyMeter({
    every: 1,
    isBusy: () => false,
    recompute: async () => ({
      ...{ status: 200, headers: {}, body: answer('new', '2026-01-02'), operationName: null },
      policy: {} as never,
    }),
    stateOf: async () => 'current',
    record: (result) => {
      said = result;
    },
    log: { error: () => {} },
    timeoutMs: 10_000,
  });
  const scope = TenantScope.ofVerifiedCaller(TENANT);
  const caller = { subject: 's', name: 's', role: Role.VIEWER, tenant: { scope, slug: 'acme' } };
  const entry = { body: answer('old', '2026-01-01'), versions: { epoch: 'e' }, operationName: null, createdAtMs: 0 };
  meter.check({ caller, key: 'key', entry, read: () => ({ query }) } as unknown as SentHit);
  await until(() => said !== undefined);
  return said;
}

test('an answer that differs beside its time differs', async () => {
  expect(await verdict('{ dashboard { at: generatedAt } accounts { nodes { bankName } } }')).toBe('differs');
});

test('no verdict is given where another field has the name of the time', async () => {
  const query = '{ dashboard { bankName: generatedAt } accounts { nodes { bankName } } }';
  expect(await verdict(query)).toBe('momentary');
});
