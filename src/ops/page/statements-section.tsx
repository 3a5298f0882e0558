import { clockSeconds, counted, milliseconds } from './format.ts';
import { Section } from './section.tsx';
import { PlanText, SqlText } from './sql-text.tsx';
import type { Report } from './use-figures.ts';

const SHOWN = 20;

/** The last slow SQL statements, with their plans. */
export function StatementsSection({ report, scope }: { readonly report: Report; readonly scope: string }) {
  const statements = report.slowQueries.slice(0, SHOWN);
  return (
    <Section id="statements">
      <p class="caption">
        The newest {statements.length} of {report.slowQueries.length} that took longer than SLOW_QUERY_MS. {scope}.
      </p>
      {statements.length === 0 && <p class="empty">No statement was slow.</p>}
      <ul class="statements">
        {statements.map((it) => (
          <li key={`${it.at} ${it.durationMs} ${it.sql}`}>
            <details>
              <summary>
                <b class="figure">{milliseconds(it.durationMs)} ms</b>{' '}
                <span>
                  {it.model ? `${it.model}.` : ''}
                  {it.action}
                </span>{' '}
                <span class="caption">
                  {it.operation ?? 'of no operation'}, {it.rows === null ? 'rows unknown' : counted(it.rows, 'row')}, at{' '}
                  {clockSeconds(it.at)}
                </span>
              </summary>
              <SqlText title="Statement" text={it.sql} />
              {it.plan ? (
                <PlanText plan={it.plan} advice={it.advice} />
              ) : (
                <p class="empty">No plan: one is taken of reading statements, at most once a minute.</p>
              )}
            </details>
          </li>
        ))}
      </ul>
    </Section>
  );
}
