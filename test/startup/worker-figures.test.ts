import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { WorkerFigures } from '../../src/startup/worker-figures.ts';
import type { Figures } from '../../src/startup/worker-messages.ts';

/** What a worker tells. */
async function figures(requests: number, connections: number, trusted: number): Promise<Figures> {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'requests_total', help: 'r', labelNames: ['code'], registers }).inc({ code: 'A' }, requests);
  new Gauge({ name: 'connections', help: 'c', registers }).set(connections);
  new Gauge({ name: 'trusted', help: 't', aggregator: 'min', registers }).set(trusted);
  const durations = new Histogram({ name: 'seconds', help: 's', buckets: [1], registers });
  for (let n = 0; n < requests; n++) durations.observe(2);
  return registry.getMetricsAsJSON();
}

const values = async (all: WorkerFigures) =>
  Object.fromEntries(
    (await all.text())
      .split('\n')
      .filter((line) => line && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );

test('counts are summed, and each figure in its own way', async () => {
  const all = new WorkerFigures();
  all.keep(1, await figures(3, 4, 1));
  all.keep(2, await figures(5, 6, 0));
  expect(await values(all)).toMatchObject({
    'requests_total{code="A"}': 8,
    connections: 10,
    trusted: 0,
    'seconds_bucket{le="1"}': 0,
    'seconds_bucket{le="+Inf"}': 8,
    seconds_sum: 16,
    seconds_count: 8,
  });
});

test('what ended workers had counted stays, and what they held goes', async () => {
  const all = new WorkerFigures();
  for (const worker of [1, 2, 3]) all.keep(worker, await figures(worker, 4, 1));
  all.ended(1);
  all.ended(2);
  all.ended(4);
  expect(await values(all)).toMatchObject({ 'requests_total{code="A"}': 6, connections: 4, seconds_count: 6 });
  all.keep(3, await figures(10, 2, 1));
  expect(await values(all)).toMatchObject({ 'requests_total{code="A"}': 13, connections: 2, seconds_count: 13 });
});
