import { clock, clockSeconds, counted, milliseconds, NONE, share, TIME_ZONE, whole } from './format.ts';
import type { Recent } from './minutes.ts';
import type { Figures } from './use-figures.ts';

interface StatusProps {
  readonly figures: Figures;
  /** What the counts are of: their window and processes. */
  readonly scope: string;
}

/** In plain words: is anything wrong, and what is to be done. */
export function Status({ figures, scope }: StatusProps) {
  const { trouble, troubledSince, readAt, findings = [] } = figures;
  const faults = findings.filter(({ status }) => status === 'FAULT').length;
  const kind =
    trouble || faults > 0 ? 'fault' : findings.length > 0 ? 'warning' : figures.findings ? 'fine' : 'waiting';
  return (
    <section class={`status ${kind}`} aria-labelledby="status-title">
      <p id="status-title" class="verdict" role="status">
        <span class="sign" aria-hidden="true">
          {{ fine: '✓', warning: '!', fault: '✕', waiting: '…' }[kind]}
        </span>
        <span>{sentenceOf(figures, faults, findings.length - faults)}</span>
      </p>
      {trouble && <p class="remedy">{trouble.remedy}</p>}
      {findings.length > 0 && (
        <ul class="findings">
          {findings.map(({ check, status, found, remedy }) => (
            <li key={`${check} ${found}`}>
              <span class={`badge ${status === 'FAULT' ? 'fault' : 'warning'}`}>
                {status === 'FAULT' ? 'Fault' : 'Warning'}
              </span>
              <b>{check}</b>: {found}
              {remedy && <p class="remedy">{remedy}</p>}
            </li>
          ))}
        </ul>
      )}
      <p class="caption">
        {readAt
          ? `Counts since ${scope.replace(/^Since /, '')}. Read at ${clockSeconds(readAt)}, times in ${TIME_ZONE}.`
          : 'The figures are being read.'}
        {troubledSince && readAt ? ` Not complete since ${clock(troubledSince)}.` : ''}
      </p>
    </section>
  );
}

function sentenceOf({ trouble, troubledSince, report, findings }: Figures, faults: number, warnings: number): string {
  if (trouble) return `${trouble.sentence}${troubledSince ? `, since ${clock(troubledSince)}` : ''}.`;
  if (!report) return 'Asking the service…';
  if (!findings) return 'Looking for what may be wrong…';
  if (faults > 0) {
    const also = warnings > 0 ? `, and ${counted(warnings, 'warning')}` : '';
    return `Something is wrong: ${counted(faults, 'fault')}${also}.`;
  }
  return warnings > 0 ? `All works, with ${counted(warnings, 'warning')}.` : 'All is well.';
}

/** What an operator looks at first. */
export function Tiles({ recent }: { readonly recent: Recent | undefined }) {
  const window = recent
    ? `last ${counted(recent.minutes, 'minute')}, ${counted(recent.processes, 'process', 'processes')}`
    : 'after the first whole minute';
  const value = (of: (recent: Recent) => string) => (recent ? of(recent) : NONE);
  return (
    <dl class="tiles">
      <Tile title="Requests a minute" value={value((it) => whole(it.requests / it.minutes))} note={window} />
      <Tile title="Answered from the cache" value={value((it) => share(it.hits, it.requests))} note={window} />
      <Tile title="p99 of the slowest minute" value={value((it) => `${milliseconds(it.worstP99)} ms`)} note={window} />
      <Tile
        title="Answers with errors"
        value={value((it) => whole(it.errors))}
        note={
          recent ? `${share(recent.errors, recent.requests)}, and ${whole(recent.refusals)} refused; ${window}` : window
        }
      />
    </dl>
  );
}

function Tile({ title, value, note }: { readonly title: string; readonly value: string; readonly note: string }) {
  return (
    <div class="tile">
      <dt>{title}</dt>
      <dd class="value">{value}</dd>
      <dd class="caption">{note}</dd>
    </div>
  );
}
