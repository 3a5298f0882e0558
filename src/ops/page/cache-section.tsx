import { milliseconds, percent, share, whole } from './format.ts';
import { Section } from './section.tsx';
import { DataTable } from './table.tsx';
import type { Report } from './use-figures.ts';

type Namespace = Report['cache'][number];

/** In the order in which they say more of a fault. */
const REASONS = ['absent', 'old', 'expired', 'broken'];

/** What the cache answered, by namespace, and why it did not. */
export function CacheSection({ report, scope }: { readonly report: Report; readonly scope: string }) {
  const bypassed = report.bypasses.reduce((sum, { count }) => sum + count, 0);
  return (
    <Section id="cache">
      <DataTable
        name="Cache by namespace"
        caption={`Lookups by namespace, and why there was no current entry: absent, old (invalidated since), expired, broken. ${scope}.`}
        rows={report.cache}
        keyOf={({ namespace }) => namespace}
        empty="Nothing was looked up in the cache yet."
        columns={[
          { title: 'Namespace', cell: (it) => it.namespace, sortBy: (it) => it.namespace },
          { title: 'Hit rate', isFigure: true, cell: (it) => <Rate of={it} />, sortBy: (it) => it.hitRate },
          { title: 'Hits', isFigure: true, cell: (it) => it.hits, sortBy: (it) => it.hits },
          { title: 'Misses', isFigure: true, cell: (it) => it.misses, sortBy: (it) => it.misses },
          ...REASONS.map((reason) => ({
            title: reason,
            isFigure: true,
            cell: (it: Namespace) => missesOf(it, reason),
            sortBy: (it: Namespace) => missesOf(it, reason),
          })),
          { title: 'Joined', isFigure: true, cell: (it) => it.joined, sortBy: (it) => it.joined },
          { title: 'Invalidated', isFigure: true, cell: (it) => it.invalidations, sortBy: (it) => it.invalidations },
          { title: 'Failures', isFigure: true, cell: (it) => it.errors, sortBy: (it) => it.errors },
          {
            title: 'Redis p99, ms',
            isFigure: true,
            cell: (it) => milliseconds(it.get.p99),
            sortBy: (it) => it.get.p99,
          },
        ]}
      />
      <h3>Not looked up</h3>
      <DataTable
        name="Requests that were not looked up"
        caption={`Requests that went past the cache, by reason. ${scope}.`}
        rows={report.bypasses}
        keyOf={({ reason }) => reason}
        empty="Every request was looked up."
        columns={[
          { title: 'Reason', cell: (it) => it.reason, sortBy: (it) => it.reason },
          { title: 'Requests', isFigure: true, cell: (it) => whole(it.count), sortBy: (it) => it.count },
          { title: 'Share', isFigure: true, cell: (it) => share(it.count, bypassed) },
        ]}
      />
    </Section>
  );
}

function missesOf({ missReasons }: Namespace, reason: string): number {
  return missReasons.find((it) => it.reason === reason)?.count ?? 0;
}

function Rate({ of: { hits, misses, hitRate } }: { readonly of: Namespace }) {
  if (hits + misses === 0) return <>–</>;
  return (
    <>
      <meter min={0} max={1} value={hitRate} aria-hidden="true" /> {percent(hitRate)}
    </>
  );
}
