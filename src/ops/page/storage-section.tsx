import { age, bytes, share, short, whole } from './format.ts';
import { Section } from './section.tsx';
import { DataTable } from './table.tsx';
import type { Minutes } from './use-figures.ts';

type Index = Minutes['indexes'][number];
type Table = Minutes['tables'][number];

const WINDOW = 'Of the database, since its statistics were reset; the same for all processes.';

export function IndexesSection({ indexes }: { readonly indexes: readonly Index[] }) {
  const doubtful = indexes.filter((it) => kindOf(it) !== 'fine').length;
  return (
    <Section id="indexes">
      <p>
        {doubtful === 0
          ? 'Every index is used or kept for a reason.'
          : `${doubtful} of ${indexes.length} are doubtful.`}{' '}
        <code>npm run indexes:advise</code> says from the workload which to add and to drop.
      </p>
      <IndexTable indexes={indexes} name="All indexes" />
    </Section>
  );
}

export function IndexTable({ indexes, name }: { readonly indexes: readonly Index[]; readonly name: string }) {
  return (
    <DataTable
      name={name}
      caption={WINDOW}
      rows={indexes}
      keyOf={({ index }) => index}
      empty="None are known yet."
      columns={[
        { title: 'Index', cell: (it) => it.index, sortBy: (it) => it.index },
        { title: 'Model', cell: (it) => it.model, sortBy: (it) => it.model },
        { title: 'Scans', isFigure: true, cell: (it) => it.scans, sortBy: (it) => it.scans },
        { title: 'Entries read', isFigure: true, cell: (it) => short(it.tuplesRead), sortBy: (it) => it.tuplesRead },
        { title: 'Size', isFigure: true, cell: (it) => bytes(it.sizeBytes), sortBy: (it) => it.sizeBytes },
        {
          title: 'Verdict',
          cell: (it) => <span class={`badge ${kindOf(it)}`}>{it.verdict}</span>,
          sortBy: (it) => it.verdict,
        },
      ]}
    />
  );
}

/** The verdict's own words begin with its kind. */
function kindOf({ verdict }: Index): 'fine' | 'warning' | 'fault' {
  if (verdict.startsWith('invalid')) return 'fault';
  return verdict === 'used' || verdict.includes(', kept: ') ? 'fine' : 'warning';
}

export function TablesSection({ tables }: { readonly tables: readonly Table[] }) {
  const doubtful = tables.filter(({ verdict }) => verdict !== 'fine').length;
  return (
    <Section id="tables">
      <p>
        {doubtful === 0
          ? 'Every table is kept up, and found by its indexes.'
          : `${doubtful} of ${tables.length} need a look: the verdict says what for.`}
      </p>
      <TableTable tables={tables} name="All tables" />
    </Section>
  );
}

export function TableTable({ tables, name }: { readonly tables: readonly Table[]; readonly name: string }) {
  return (
    <DataTable
      name={name}
      caption={`${WINDOW} Rows are PostgreSQL's estimate; dead ones await VACUUM.`}
      rows={tables}
      keyOf={({ model }) => model}
      empty="None are known yet."
      columns={[
        { title: 'Model', cell: (it) => it.model, sortBy: (it) => it.model },
        { title: 'Rows', isFigure: true, cell: (it) => it.rows, sortBy: (it) => it.rows },
        {
          title: 'Dead',
          isFigure: true,
          cell: (it) => share(it.deadRows, it.rows + it.deadRows),
          sortBy: (it) => it.deadRows,
        },
        { title: 'Size', isFigure: true, cell: (it) => bytes(it.sizeBytes), sortBy: (it) => it.sizeBytes },
        { title: 'Of its indexes', isFigure: true, cell: (it) => bytes(it.indexBytes), sortBy: (it) => it.indexBytes },
        { title: 'By index', isFigure: true, cell: (it) => whole(it.indexScans), sortBy: (it) => it.indexScans },
        {
          title: 'Read whole',
          isFigure: true,
          cell: (it) => whole(it.sequentialScans),
          sortBy: (it) => it.sequentialScans,
        },
        { title: 'Vacuumed', cell: (it) => (it.lastVacuum ? `${age(it.lastVacuum)} ago` : 'never') },
        { title: 'Analyzed', cell: (it) => (it.lastAnalyze ? `${age(it.lastAnalyze)} ago` : 'never') },
        {
          title: 'Verdict',
          cell: (it) => <span class={`badge ${it.verdict === 'fine' ? 'fine' : 'warning'}`}>{it.verdict}</span>,
          sortBy: (it) => it.verdict,
        },
      ]}
    />
  );
}
