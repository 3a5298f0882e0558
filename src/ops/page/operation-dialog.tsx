import { useEffect, useRef } from 'preact/hooks';
import { milliseconds, share, whole } from './format.ts';
import type { Operation } from './operations-section.tsx';
import { PlanText, SqlText } from './sql-text.tsx';
import { IndexTable, TableTable } from './storage-section.tsx';
import type { Minutes } from './use-figures.ts';

interface DialogProps {
  readonly operation: Operation;
  readonly minutes: Minutes | undefined;
  readonly scope: string;
  readonly onClose: () => void;
}

type Statement = Operation['queries'][number];

/** One operation: what it sends to PostgreSQL, how that is carried out, and what serves it. */
export function OperationDialog({ operation, minutes, scope, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const { name, latency, cacheHits, errors, queries } = operation;
  const models = new Set(queries.flatMap(({ model }) => model ?? []));
  const indexes = minutes?.indexes.filter(({ model }) => models.has(model)) ?? [];
  const tables = minutes?.tables.filter(({ model }) => models.has(model)) ?? [];
  return (
    // The browser closes it on Escape and gives the focus back.
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={onClose}>
      <header>
        <h2 id="dialog-title">{name}</h2>
        <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </header>
      <p class="caption">
        {whole(latency.count)} requests, {share(cacheHits, latency.count)} from the cache, {whole(errors)} with errors;{' '}
        p50 {milliseconds(latency.p50)} ms, p95 {milliseconds(latency.p95)} ms, p99 {milliseconds(latency.p99)} ms.{' '}
        {scope}.
      </p>
      <h3>Statements</h3>
      {queries.length === 0 && (
        <p class="empty">It sent no SQL statement: its answers came from the cache, or need none.</p>
      )}
      {queries.map((statement) => (
        <StatementFigures key={`${statement.model} ${statement.action}`} statement={statement} />
      ))}
      {indexes.length > 0 && (
        <>
          <h3>Indexes of its tables</h3>
          <IndexTable indexes={indexes} name={`Indexes of the tables of ${name}`} />
        </>
      )}
      {tables.length > 0 && (
        <>
          <h3>Its tables</h3>
          <TableTable tables={tables} name={`Tables of ${name}`} />
        </>
      )}
    </dialog>
  );
}

function StatementFigures({ statement }: { readonly statement: Statement }) {
  const { model, action, count, meanMs, maxMs, sql, plan, advice } = statement;
  return (
    <div class="statement">
      <p>
        <b>
          {model ? `${model}.` : ''}
          {action}
        </b>{' '}
        <span class="caption">
          {whole(count)} times, {milliseconds(meanMs)} ms on average, {milliseconds(maxMs)} ms at most
        </span>
      </p>
      {sql ? <SqlText title="The slowest one seen" text={sql} /> : <p class="empty">Its text was not kept.</p>}
      {plan && <PlanText plan={plan} advice={advice} />}
      {sql && !plan && (
        <p class="empty">No plan: one is taken of reading statements that are slower than SLOW_QUERY_MS.</p>
      )}
    </div>
  );
}
