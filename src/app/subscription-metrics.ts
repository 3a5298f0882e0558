import type { LiveFigures } from '../live/live-figures.ts';
import type { Add } from './read-when-asked.ts';

export function addSubscriptions(add: Add, figures: LiveFigures): void {
  const by = (label: string, counts: Readonly<Record<string, number>>) => () =>
    Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));
  add(
    'gauge',
    'tenantry_subscriptions',
    'Open subscriptions, by transport: sse or websocket.',
    by('transport', figures.open),
  );
  add(
    'counter',
    'tenantry_subscription_events_total',
    'Events sent to subscribers, by transport: sse or websocket.',
    by('transport', figures.events),
  );
  add(
    'counter',
    'tenantry_subscription_changes_coalesced_total',
    'Changes that were told together with a later one, since they came faster than events are sent.',
    () => [{ labels: {}, value: figures.coalesced }],
  );
  add(
    'counter',
    'tenantry_subscription_refusals_total',
    'Subscriptions refused, by reason: tenant or process (too many are open) or request (what was asked for).',
    by('reason', figures.refused),
  );
}
