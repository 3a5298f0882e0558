import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

import type pg from 'pg';

import type { BenchTenant } from '../bench/data-set.ts';
import { writePast } from './soak-tenants.ts';
import type { SoakTraffic } from './soak-traffic.ts';

/** Between two writes: each tenant is written now and then, and read between. */
const PAUSE_MS = 20;

/**
 * Writes past the API, one tenant after the other, until the traffic is over. @returns the number
 * of writes
 */
export async function writeUntilOver(
  client: pg.Client,
  tenants: readonly BenchTenant[],
  traffic: SoakTraffic,
): Promise<number> {
  let writes = 0;
  for (; !traffic.isOver; writes++) {
    const tenant = writes % tenants.length;
    const marker = await writePast(client, tenants[tenant] as BenchTenant);
    traffic.ledger.commitPast(tenant, marker, performance.now());
    await delay(PAUSE_MS);
  }
  return writes;
}
