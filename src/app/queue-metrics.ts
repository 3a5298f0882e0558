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
    'Tenants of which requests wait to be worked on; strangers and operators are none.',
    () => [{ labels: {}, value: queue().tenants }],
  );
  const waits = `${prefix}_wait_seconds`;
  add('histogram', waits, 'How long requests waited that had to, and were worked on.', () =>
    histogramSamples(waits, {}, queue().waits),
  );
  add(
    'counter',
    'tenantry_request_refusals_total',
    'Requests refused before anything was done for them, by reason.',
    () => Object.entries(queue().refusals).map(([reason, value]) => ({ labels: { reason }, value })),
  );
}

/** Busy and unreachable are two things: docs/performance.md. */
export function addQueue(add: Add, queue: () => ConnectionFigures): void {
  const prefix = 'tenantry_database_queue';
  add('gauge', `${prefix}_length`, 'Statements and transactions that wait for a connection, or to search.', () => [
    { labels: {}, value: queue().length },
  ]);
  add(
    'gauge',
    `${prefix}_tenants`,
    'Tenants of which some wait for a connection, or to search; the service itself is none.',
    () => [{ labels: {}, value: queue().tenants }],
  );
  const waits = `${prefix}_wait_seconds`;
  add('histogram', waits, 'How long those waited who had to, and got a connection; searches for their turn, too.', () =>
    histogramSamples(waits, {}, queue().waits),
  );
  add('counter', 'tenantry_database_refusals_total', 'Those who got no connection, by reason.', () =>
    Object.entries(queue().refusals).map(([reason, value]) => ({ labels: { reason }, value })),
  );
}
