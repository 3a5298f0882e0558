import { EventEmitter } from 'node:events';
import { Gauge, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { type Channel, shareMetrics } from '../../src/startup/share-metrics.ts';
import type { FromWorker, ToWorker } from '../../src/startup/worker-messages.ts';

test('a figure that cannot be read is told to the log, and the worker tells the next ones', async () => {
  const registry = new Registry();
  let isBroken = true;
  new Gauge({
    name: 'connections',
    help: 'c',
    registers: [registry],
    collect() {
      if (isBroken) throw new Error('no such pool');
      this.set(3);
    },
  });
  const asks = new EventEmitter();
  let onSent = (_: FromWorker) => {};
  const channel: Channel = {
    on: (event, hear) => asks.on(event, hear),
    send: (message, _handle, _options, sent) => {
      sent(null);
      onSent(message);
    },
  };
  const ask = (message: ToWorker) => asks.emit('message', message);
  const logged = await new Promise((resolve) => {
    const error = (...said: unknown[]) => resolve(said);
    shareMetrics({ registry, tenants: () => [] }, channel, { error } as never);
    ask({ kind: 'figures', ask: 1 });
  });
  expect(logged).toEqual([
    { err: expect.objectContaining({ message: 'no such pool' }) },
    'the figures of this worker could not be told',
  ]);
  isBroken = false;
  const sent = await new Promise<FromWorker>((resolve) => {
    onSent = resolve;
    ask({ kind: 'figures', ask: 2 });
  });
  expect(sent).toMatchObject({ kind: 'figures', ask: 2, figures: [{ name: 'connections', values: [{ value: 3 }] }] });
});
