import { useEffect, useRef, useState } from 'preact/hooks';
import { type Finding, type ReadFigures, readFigures, readFindings } from './read-figures.ts';
import { type Reading, type Repetition, repeat } from './repeat.ts';

export type { Finding, Minutes, Report } from './read-figures.ts';

/** Minutes, sizes of tables and tenants' costs change no sooner, and cost more to ask for. */
const SLOW_REFRESH_MS = 60_000;

/** What is shown. */
export interface Figures extends ReadFigures {
  /** Of the doctor. Absent: it still looks. */
  readonly findings?: readonly Finding[];
  /** Since when there is trouble. */
  readonly troubledSince?: Date;
}

type Change = (changed: (last: Figures) => Figures) => void;

/**
 * The figures, asked for every ten seconds while the page is visible. They are of the last token
 * and range, in whatever order answers come.
 * @param onRefused called when the token does not hold any more
 */
export function useFigures(token: string | null, range: number, onRefused: () => void) {
  const [figures, setFigures] = useState<Figures>({});
  const reading = useRepeated(
    () => (token === null ? null : figuresReading(token, range, setFigures, onRefused)),
    [token, range, onRefused],
  );
  const looking = useRepeated(() => (token === null ? null : findingsReading(token, setFigures)), [token]);
  const refreshNow = () => {
    reading.current?.now();
    looking.current?.now();
  };
  // Not left to the effects: an answer may come before them, and would be shown to the next person.
  const forget = () => {
    reading.current?.end();
    looking.current?.end();
    setFigures({});
  };
  return { figures, refreshNow, forget };
}

/** @param readingOf what is repeated until an input changes; null: nothing */
function useRepeated(readingOf: () => Reading | null, inputs: readonly unknown[]) {
  const repetition = useRef<Repetition | null>(null);
  useEffect(() => {
    const reading = readingOf();
    if (!reading) return;
    const current = repeat(reading);
    repetition.current = current;
    return current.end;
  }, inputs);
  return repetition;
}

function figuresReading(token: string, range: number, change: Change, onRefused: () => void): Reading {
  let slowReadAt = 0;
  return async (signal, isAskedFor) => {
    const isSlowDue = isAskedFor || Date.now() - slowReadAt >= SLOW_REFRESH_MS;
    const read = await readFigures({ token, signal }, isSlowDue ? range : undefined);
    if (signal.aborted) return;
    if (read === 'refused') return onRefused();
    if (read.minutes) slowReadAt = Date.now();
    change((last) => (read.trouble ? withTrouble(last, read) : withAll(last, read)));
  };
}

function withAll({ minutes, findings }: Figures, read: ReadFigures): Figures {
  return { ...(minutes && { minutes }), ...(findings && { findings }), ...read };
}

function withTrouble(last: Figures, read: ReadFigures): Figures {
  return { ...last, ...read, troubledSince: last.troubledSince ?? new Date() };
}

function findingsReading(token: string, change: Change): Reading {
  return async (signal) => {
    const findings = await readFindings({ token, signal });
    if (findings && !signal.aborted) change((last) => ({ ...last, findings }));
  };
}
