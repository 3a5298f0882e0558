import { useState } from 'preact/hooks';
import { milliseconds, share } from './format.ts';
import { OperationDialog } from './operation-dialog.tsx';
import { Section } from './section.tsx';
import { DataTable } from './table.tsx';
import type { Minutes, Report } from './use-figures.ts';

export type Operation = Report['operations'][number];

interface OperationsProps {
  readonly report: Report;
  readonly minutes: Minutes | undefined;
  readonly scope: string;
}

const averageOf = (of: (it: Operation) => number) => (it: Operation) => of(it) / Math.max(1, it.latency.count);
const statementsEach = averageOf((it) => it.statements);
const databaseMsEach = averageOf((it) => it.databaseMs);

/** Operations, those with the most time first; each opens its statements, plan and indexes. */
export function OperationsSection({ report, minutes, scope }: OperationsProps) {
  const [openName, setOpenName] = useState<string | null>(null);
  const open = report.operations.find(({ name }) => name === openName);
  return (
    <Section id="operations">
      <DataTable
        name="All operations"
        caption={`Those with the most time in total first; a name opens its statements, plans and indexes. Times in ms, answers from the cache included. ${scope}.`}
        rows={report.operations}
        keyOf={({ name }) => name}
        empty="Nothing was asked yet."
        columns={[
          {
            title: 'Operation',
            cell: ({ name }) => (
              <button type="button" class="link" aria-haspopup="dialog" onClick={() => setOpenName(name)}>
                {name}
              </button>
            ),
            sortBy: ({ name }) => name,
          },
          { title: 'Requests', isFigure: true, cell: (it) => it.latency.count, sortBy: (it) => it.latency.count },
          {
            title: 'Hit rate',
            isFigure: true,
            cell: (it) => share(it.cacheHits, it.latency.count),
            sortBy: (it) => it.cacheHits / Math.max(1, it.latency.count),
          },
          ...(['p50', 'p95', 'p99', 'max'] as const).map((key) => ({
            title: key,
            isFigure: true,
            cell: (it: Operation) => milliseconds(it.latency[key]),
            sortBy: (it: Operation) => it.latency[key],
          })),
          { title: 'Errors', isFigure: true, cell: (it) => it.errors, sortBy: (it) => it.errors },
          {
            title: 'SQL each',
            isFigure: true,
            cell: (it) => statementsEach(it).toFixed(1),
            sortBy: statementsEach,
          },
          {
            title: 'SQL ms each',
            isFigure: true,
            cell: (it) => milliseconds(databaseMsEach(it)),
            sortBy: databaseMsEach,
          },
        ]}
      />
      {open && <OperationDialog {...{ operation: open, minutes, scope }} onClose={() => setOpenName(null)} />}
    </Section>
  );
}
