import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ResourceMonitor } from '../../src/performance/resources.ts';

let resources: ResourceMonitor;

beforeEach(() => {
  resources = new ResourceMonitor({
    cacheMemoryBytes: () => 1_000,
    redisMemoryBytes: async () => null,
    databaseConnections: () => 3,
  });
});
afterEach(() => resources.close());

function block(durationMs: number): void {
  const end = performance.now() + durationMs;
  while (performance.now() < end);
}

describe('the resources', () => {
  it('tell memory, and what their sources say', async () => {
    const { rssBytes, heapUsedBytes, ...rest } = await resources.read();
    expect(rssBytes).toBeGreaterThan(heapUsedBytes);
    expect(heapUsedBytes).toBeGreaterThan(1_000_000);
    expect(rest).toMatchObject({ cacheMemoryBytes: 1_000, redisMemoryBytes: null, databaseConnections: 3 });
  });

  it('tell how busy the process was', async () => {
    const before = process.cpuUsage();
    const startedAtMs = performance.now();
    block(200);
    const { user, system } = process.cpuUsage(before);
    const { cpuPercent } = await resources.read();
    const elapsedMs = performance.now() - startedAtMs;
    // Other processes may have taken the core for a part of the time: what this one had is the
    // measure. A tenth is for what lies between the readings.
    expect(cpuPercent).toBeGreaterThan((0.9 * (user + system)) / 10 / (elapsedMs + 50));
    expect(cpuPercent).toBeLessThan(1_000);
  });

  it('tell that the event loop was held up', async () => {
    const deadline = performance.now() + 10_000;
    let delayMs = 0;
    while (delayMs < 100 && performance.now() < deadline) {
      await nextTurn();
      block(150);
      await nextTurn();
      delayMs = (await resources.read()).eventLoopDelayMs;
    }
    expect(delayMs).toBeGreaterThanOrEqual(100);
  });
});
