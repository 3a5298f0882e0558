import type { ConnectionFigures, QueueFigures } from '../tenancy/queue-figures.ts';
import { histogramSamples } from './histogram-samples.ts';
import type { Add } from './read-when-asked.ts';

/** Of requests that are not worked on yet. */
export function addAdmission(add: Add, queue: () => QueueFigures): void {
  const prefix = 'tenantry_request_queue';
  add('gauge', `${prefix}_length`, 'Requests that wait to be worked on.', () => [
    { labels: {}, value: queue().length },
  ]);
  add(
    'gauge',
    `${prefix}_tenants`,
    'Tenants with requests that wait to be worked on; strangers and operators do not count.',
    () => [{ labels: {}, value: queue().tenants }],
  );
  const waits = `${prefix}_wait_seconds`;
  add(
    'histogram',
    waits,
    'How long requests waited before they were worked on; those that did not wait are not in it.',
    () => histogramSamples(waits, {}, queue().waits),
  );
  add(
    'counter',
    'tenantry_request_refusals_total',
    'Requests refused before anything was done for them, by reason: length (too many waited) or time (too long).',
    () => Object.entries(queue().refusals).map(([reason, value]) => ({ labels: { reason }, value })),
  );
}

/** Busy and unreachable are two things: docs/performance.md. */
export function addQueue(add: Add, queue: () => ConnectionFigures): void {
  const prefix = 'tenantry_database_queue';
  add(
    'gauge',
    `${prefix}_length`,
    'Statements and transactions that wait for a connection, or for their turn to search.',
    () => [{ labels: {}, value: queue().length }],
  );
  add(
    'gauge',
    `${prefix}_tenants`,
    'Tenants with statements that wait for a connection or to search; the service itself does not count.',
    () => [{ labels: {}, value: queue().tenants }],
  );
  const waits = `${prefix}_wait_seconds`;
  add(
    'histogram',
    waits,
    'How long statements waited for a connection or to search; those that did not wait are not in it.',
    () => histogramSamples(waits, {}, queue().waits),
  );
  add(
    'counter',
    'tenantry_database_refusals_total',
    'Statements that got no connection, by reason: length (too many waited), time (too long) or unreachable.',
    () => Object.entries(queue().refusals).map(([reason, value]) => ({ labels: { reason }, value })),
  );
}
