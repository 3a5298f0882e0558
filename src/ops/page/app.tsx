import { useCallback, useMemo, useState } from 'preact/hooks';
import { CacheSection } from './cache-section.tsx';
import { Charts } from './charts.tsx';
import { clock, counted } from './format.ts';
import { gridOf, recentOf } from './minutes.ts';
import { OperationsSection } from './operations-section.tsx';
import { SECTIONS, Section } from './section.tsx';
import { ErrorsSection, ProcessesSection, TenantsSection } from './service-sections.tsx';
import { SignIn } from './sign-in.tsx';
import { StatementsSection } from './statements-section.tsx';
import { Status, Tiles } from './status.tsx';
import { IndexesSection, TablesSection } from './storage-section.tsx';
import { keptToken } from './token.ts';
import { type Figures, useFigures } from './use-figures.ts';

const RANGES = [
  [60, '1 h'],
  [180, '3 h'],
  [1440, '24 h'],
] as const;
const RECENT_MINUTES = 5;
const EXPIRED = 'The token has expired or is no longer accepted. The figures behind are the last that came.';

export function App() {
  const [token, setToken] = useState(keptToken.read);
  const [reason, setReason] = useState<string | null>(null);
  const [range, setRange] = useState<number>(180);
  const leave = useCallback((why: string | null) => {
    keptToken.forget();
    setReason(why);
    setToken(null);
  }, []);
  const onRefused = useCallback(() => leave(EXPIRED), [leave]);
  const { figures, refreshNow, forget } = useFigures(token, range, onRefused);
  const signIn = (given: string) => {
    keptToken.write(given);
    setToken(given);
  };
  const signOut = () => {
    leave(null);
    forget();
  };
  return (
    <>
      {token && (
        <a class="skip" href="#main">
          Skip to the figures
        </a>
      )}
      <header class="top">
        <h1>
          <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
            <rect width="32" height="32" rx="7" fill="#14532d" />
            <path d="M8 9h16M16 9v15" stroke="#fff" stroke-width="4" />
          </svg>
          Tenantry <span>operators</span>
        </h1>
        {token && <Controls {...{ range, setRange, refreshNow, signOut }} />}
      </header>
      <main id="main" tabIndex={-1}>
        {token === null && <SignIn key={reason} reason={reason} onToken={signIn} />}
        {(token !== null || figures.report) && (
          <div class={token === null ? 'figures dimmed' : 'figures'} inert={token === null}>
            <Overview figures={figures} range={range} />
          </div>
        )}
      </main>
    </>
  );
}

interface ControlsProps {
  readonly range: number;
  readonly setRange: (range: number) => void;
  readonly refreshNow: () => void;
  readonly signOut: () => void;
}

function Controls({ range, setRange, refreshNow, signOut }: ControlsProps) {
  return (
    <>
      <nav aria-label="Parts of the page">
        {SECTIONS.map(([id, title]) => (
          <a key={id} href={`#${id}`}>
            {title}
          </a>
        ))}
      </nav>
      <div class="controls">
        <fieldset class="ranges">
          <legend class="for-readers">How far the lines go back</legend>
          {RANGES.map(([minutes, title]) => (
            <label key={minutes}>
              <input type="radio" name="range" checked={range === minutes} onChange={() => setRange(minutes)} />
              {title}
            </label>
          ))}
        </fieldset>
        <button type="button" class="quiet" onClick={refreshNow}>
          Refresh
        </button>
        <button type="button" class="quiet" onClick={signOut}>
          Sign out
        </button>
      </div>
    </>
  );
}

function Overview({ figures, range }: { readonly figures: Figures; readonly range: number }) {
  const { report, minutes, isOfOneProcess } = figures;
  const grid = useMemo(() => gridOf(minutes?.history ?? [], range), [minutes, range]);
  const processes = report?.processes.length ?? 0;
  const who = isOfOneProcess ? 'the answering process only' : counted(processes, 'process', 'processes');
  const scope = report ? `Since ${clock(report.since)}, ${who}` : '';
  const hours = `Last ${counted(range / 60, 'hour')}, all processes of the deployment.`;
  return (
    <>
      <Status figures={figures} scope={scope} />
      <Tiles recent={recentOf(grid, RECENT_MINUTES)} />
      <Section id="minutes">
        <Charts grid={grid} caption={hours} />
      </Section>
      {report && <CacheSection {...{ report, scope }} />}
      {report && <OperationsSection {...{ report, minutes, scope }} />}
      {report && <StatementsSection {...{ report, scope }} />}
      {minutes && <IndexesSection indexes={minutes.indexes} />}
      {minutes && <TablesSection tables={minutes.tables} />}
      {minutes && <TenantsSection tenants={minutes.tenants} />}
      {report && <ErrorsSection {...{ report, scope }} />}
      {report && <ProcessesSection processes={report.processes} />}
    </>
  );
}
