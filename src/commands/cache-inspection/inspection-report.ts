import { formatBytes, formatCount, formatDuration } from '../../cli/format.ts';
import { formatTable } from '../../cli/table.ts';
import { counted } from '../../counted.ts';
import type { KeptEntry } from './kept-entry.ts';
import { STATES } from './kept-entry.ts';
import type { Summary } from './summary.ts';
import type { TenantState } from './tenant-state.ts';

/** Longer keys, which hold hashes, are cut. */
const KEY_WIDTH = 60;

export interface Inspection {
  readonly tenant: { readonly slug: string; readonly id: string };
  readonly state: TenantState;
  readonly summary: Summary;
  /** Keys of all tenants in Redis. */
  readonly keysInRedis: number;
  /** Whether all of them were walked. */
  readonly isWhole: boolean;
}

export function inspectionJson({ tenant, state, summary, keysInRedis, isWhole }: Inspection): string {
  const { namespaces, reasons, youngest } = summary;
  return JSON.stringify({ tenant, ...state, namespaces, reasons, youngest, keysInRedis, isWhole }, null, 2);
}

export function inspectionText({ tenant, state, summary, keysInRedis, isWhole }: Inspection): string {
  const parts = [
    `Tenant ${tenant.slug} (${tenant.id})\n${trust(state)}\n${versions(state)}`,
    entries(summary),
    youngest(summary.youngest),
    isWhole
      ? `Redis walked its ${counted(keysInRedis, 'key')}, of all tenants, to find these.`
      : `Redis has ${counted(keysInRedis, 'key')}, of which not all were walked: give --max-keys more to see the rest.`,
    'What processes keep in their own memory is not shown here.',
  ];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

function trust({ isTrusted, leaseMs }: TenantState): string {
  if (leaseMs === null) return 'Not trusted: no lease, no process relays the outbox. Answers come from PostgreSQL.';
  if (isTrusted) return `Trusted: the lease lasts ${leaseMs} ms yet, and is renewed all the while.`;
  return `Not trusted: the lease ended ${formatDuration(-leaseMs)} ago. Answers come from PostgreSQL until a process relays the outbox again.`;
}

function versions({ versions }: TenantState): string {
  if (!versions) return 'No versions: nothing that is kept is current.';
  const { epoch, ...counters } = versions;
  const bumped = Object.entries(counters).map(([name, count]) => `${name} ${count}`);
  return `Versions: epoch ${epoch}; ${bumped.length > 0 ? bumped.join(', ') : 'nothing was changed in it'}`;
}

function entries({ namespaces, reasons }: Summary): string {
  if (namespaces.length === 0) return 'No entries.';
  const rows = namespaces.map(({ namespace, entries, bytes, states }) => [
    ...[namespace, formatCount(entries), formatBytes(bytes)],
    ...STATES.map((state) => formatCount(states[state])),
  ]);
  const why = reasons.map(({ reason, entries }) => `  ${formatCount(entries)}: ${reason}`);
  return [
    formatTable(['Namespace', 'Entries', 'Size', ...STATES], rows),
    ...(why.length > 0 ? ['Why they are old:', ...why] : []),
  ].join('\n');
}

function youngest(entries: readonly KeptEntry[]): string {
  if (entries.length === 0) return '';
  const rows = entries.map(({ key, operation, bytes, ageMs, state, changed }) => [
    ...[key.length > KEY_WIDTH ? `${key.slice(0, KEY_WIDTH - 1)}…` : key, (operation ?? '').slice(0, 40)],
    ...[formatBytes(bytes), ageMs === null ? '' : formatDuration(ageMs), [state, ...changed].join(', ')],
  ]);
  return `The youngest:\n${formatTable(['Key', 'Operation', 'Size', 'Age', 'State'], rows)}`;
}
