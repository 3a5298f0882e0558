import { age, bytes, milliseconds, NONE, percent, share, short, whole } from './format.ts';
import { Section } from './section.tsx';
import { DataTable } from './table.tsx';
import type { Minutes, Report } from './use-figures.ts';

type Tenant = Minutes['tenants'][number];

/** Of what its limit allows in an hour; above 1 only where the limit was lowered within it. */
const limitUsed = ({ hour, pointsPerMinute }: Tenant) => hour.points / (60 * pointsPerMinute);

export function TenantsSection({ tenants }: { readonly tenants: Minutes['tenants'] }) {
  return (
    <Section id="tenants">
      <DataTable
        name="Tenants by cost"
        caption="The 20 that cost the most points in the last 24 hours, in all processes together. A point is about a microsecond of work. The limit is what all callers of a tenant may spend in a minute: its own, which npm run tenants:budget sets, or the default. The share is what the last hour used of 60 such minutes."
        rows={tenants}
        keyOf={({ id }) => id}
        empty="No tenant has asked for anything in the last 24 hours."
        columns={[
          { title: 'Tenant', cell: (it) => it.slug, sortBy: (it) => it.slug },
          { title: 'Points, day', isFigure: true, cell: (it) => short(it.day.points), sortBy: (it) => it.day.points },
          {
            title: 'Points, hour',
            isFigure: true,
            cell: (it) => short(it.hour.points),
            sortBy: (it) => it.hour.points,
          },
          {
            title: 'Limit, minute',
            isFigure: true,
            cell: (it) => `${short(it.pointsPerMinute)} ${it.hasOwnLimit ? 'own' : 'default'}`,
            sortBy: (it) => it.pointsPerMinute,
          },
          {
            title: 'Of limit, hour',
            isFigure: true,
            cell: (it) => percent(limitUsed(it)),
            sortBy: limitUsed,
          },
          { title: 'Requests', isFigure: true, cell: (it) => it.day.requests, sortBy: (it) => it.day.requests },
          {
            title: 'Hit rate',
            isFigure: true,
            cell: (it) => share(it.day.hits, it.day.requests),
            sortBy: (it) => it.day.hits / Math.max(1, it.day.requests),
          },
          { title: 'SQL, ms', isFigure: true, cell: (it) => it.day.databaseMs, sortBy: (it) => it.day.databaseMs },
          { title: 'Rows', isFigure: true, cell: (it) => short(it.day.rows), sortBy: (it) => it.day.rows },
          { title: 'Kept', isFigure: true, cell: (it) => bytes(it.day.bytesKept), sortBy: (it) => it.day.bytesKept },
          {
            title: 'Errors',
            cell: (it) => it.day.errors.map(({ code, count }) => `${whole(count)} ${code}`).join(', ') || 'none',
          },
        ]}
      />
    </Section>
  );
}

export function ErrorsSection({ report, scope }: { readonly report: Report; readonly scope: string }) {
  return (
    <Section id="errors">
      <DataTable
        name="Answers with errors"
        caption={`By HTTP status and code, the most frequent first. ${scope}.`}
        rows={report.errors}
        keyOf={({ status, code }) => `${status} ${code}`}
        empty="No answer had an error."
        columns={[
          { title: 'Code', cell: (it) => it.code, sortBy: (it) => it.code },
          { title: 'Status', isFigure: true, cell: (it) => String(it.status), sortBy: (it) => it.status },
          { title: 'Answers', isFigure: true, cell: (it) => it.count, sortBy: (it) => it.count },
        ]}
      />
    </Section>
  );
}

export function ProcessesSection({ processes }: { readonly processes: Report['processes'] }) {
  return (
    <Section id="processes">
      <DataTable
        name="Processes of the deployment"
        caption="Each as it last told of itself. The relay is the one that reads writes past the API; its lag is how old the oldest unread one is."
        rows={processes}
        keyOf={({ id }) => id}
        empty="The processes of the deployment cannot be listed now."
        columns={[
          { title: 'Process', cell: (it) => `${it.host} ${it.pid}`, sortBy: (it) => `${it.host} ${it.pid}` },
          { title: 'Version', cell: (it) => it.version, sortBy: (it) => it.version },
          { title: 'Up', cell: (it) => age(it.startedAt), sortBy: (it) => it.startedAt },
          { title: 'Seen', cell: (it) => `${age(it.seenAt)} ago`, sortBy: (it) => it.seenAt },
          { title: 'Cache', cell: (it) => <Trust trusted={it.cacheTrusted} /> },
          { title: 'Relay', cell: (it) => (it.isRelay ? 'relay' : NONE) },
          {
            title: 'Lag, ms',
            isFigure: true,
            cell: (it) => (it.outboxLagMs === null ? NONE : milliseconds(it.outboxLagMs)),
            sortBy: (it) => it.outboxLagMs ?? -1,
          },
          { title: 'Memory', isFigure: true, cell: (it) => bytes(it.memoryBytes), sortBy: (it) => it.memoryBytes },
          { title: 'CPU', isFigure: true, cell: (it) => percent(it.cpu), sortBy: (it) => it.cpu },
          {
            title: 'Loop p99, ms',
            isFigure: true,
            cell: (it) => milliseconds(it.eventLoopP99Ms),
            sortBy: (it) => it.eventLoopP99Ms,
          },
          { title: 'Connections', isFigure: true, cell: (it) => it.databaseConnections },
          { title: 'Waiting for one', isFigure: true, cell: (it) => it.databaseQueueLength },
          { title: 'Requests waiting', isFigure: true, cell: (it) => it.requestQueueLength },
        ]}
      />
    </Section>
  );
}

function Trust({ trusted }: { readonly trusted: boolean | null }) {
  if (trusted === null) return <span class="badge warning">off</span>;
  return <span class={`badge ${trusted ? 'fine' : 'fault'}`}>{trusted ? 'trusted' : 'not trusted'}</span>;
}
