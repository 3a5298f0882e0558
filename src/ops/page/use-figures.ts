import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ask, findDown } from './api.ts';
import {
  OpsFiguresDocument,
  OpsFindingsDocument,
  type OpsFindingsQuery,
  OpsMinutesDocument,
  type OpsMinutesQuery,
  OpsOwnFiguresDocument,
  type ReportFiguresFragment,
} from './generated/graphql.ts';

const REFRESH_MS = 10_000;
/** Minutes, sizes of tables and tenants' costs change no sooner, and cost more to ask for. */
const SLOW_REFRESH_MS = 60_000;

export type Report = ReportFiguresFragment;
export type Minutes = OpsMinutesQuery['performance'];
export type Finding = OpsFindingsQuery['performance']['findings'][number];

/** Why not everything that is shown is current. */
export interface Trouble {
  readonly sentence: string;
  readonly remedy: string;
}

export interface Figures {
  readonly report?: Report;
  readonly minutes?: Minutes | undefined;
  /** Of the doctor. Absent: it still looks. */
  readonly findings?: readonly Finding[];
  /** When `report` was read. */
  readonly readAt?: Date;
  /** Whether `report` is of the answering process alone. */
  readonly isOfOneProcess?: boolean;
  readonly trouble?: Trouble;
  /** Since when there is trouble. */
  readonly troubledSince?: Date;
}

const UNREACHABLE: Trouble = {
  sentence: 'The service cannot be reached',
  remedy: 'Look whether its processes run and the way to them is open. The figures below are the last that came.',
};
const NO_DATABASE: Trouble = {
  sentence: 'PostgreSQL cannot be reached: figures of the answering process only',
  remedy: 'Look whether the database server runs and takes connections: npm run doctor says what it finds.',
};

const NO_REDIS: Finding = {
  check: 'Redis',
  status: 'FAULT',
  found: 'Redis does not answer: every answer is computed from PostgreSQL.',
  remedy: 'Look whether the Redis server of REDIS_URL runs and takes connections.',
};

/**
 * The figures, asked for every ten seconds while the page is visible.
 * @param onRefused called when the token does not hold any more
 */
export function useFigures(token: string | null, range: number, onRefused: () => void) {
  const [figures, setFigures] = useState<Figures>({});
  const slowReadAt = useRef(0);
  const underWay = useRef(false);
  const lookUnderWay = useRef(false);
  const [again, setAgain] = useState(0);

  const look = useCallback(async () => {
    if (token === null || lookUnderWay.current) return;
    lookUnderWay.current = true;
    const findings = await findingsOf(token);
    lookUnderWay.current = false;
    if (findings) setFigures((last) => ({ ...last, findings }));
  }, [token]);

  const refresh = useCallback(async () => {
    if (token === null || underWay.current) return;
    void look();
    underWay.current = true;
    try {
      const isSlowDue = Date.now() - slowReadAt.current >= SLOW_REFRESH_MS;
      const [fast, slow] = await Promise.all([
        ask(token, OpsFiguresDocument),
        isSlowDue ? ask(token, OpsMinutesDocument, { minutes: range }) : undefined,
      ]);
      if (fast.kind === 'refused') return onRefused();
      const minutes = slow?.kind === 'data' ? slow.data.performance : undefined;
      if (minutes) slowReadAt.current = Date.now();
      if (fast.kind === 'data' && (!slow || minutes)) {
        const report = fast.data.performance;
        return setFigures(({ minutes: last, findings }) => ({
          ...{ report, minutes: minutes ?? last, readAt: new Date() },
          ...(findings && { findings }),
        }));
      }
      const changes = await afterFailure(token, fast.kind === 'failed' ? fast.text : textOf(slow));
      setFigures((last) => ({ ...last, ...changes, troubledSince: last.troubledSince ?? new Date() }));
    } finally {
      underWay.current = false;
    }
  }, [token, range, onRefused, look]);

  useEffect(() => {
    slowReadAt.current = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const go = async () => {
      clearTimeout(timer);
      if (document.visibilityState === 'visible') await refresh();
      if (!isOver) timer = setTimeout(go, REFRESH_MS);
    };
    const onVisible = () => void (document.visibilityState === 'visible' && go());
    document.addEventListener('visibilitychange', onVisible);
    void go();
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [refresh, again]);

  const refreshNow = () => setAgain((count) => count + 1);
  return { figures, refreshNow, forget: () => setFigures({}) };
}

function textOf(outcome: { readonly kind: string; readonly text?: string } | undefined): string | undefined {
  return outcome?.kind === 'failed' ? outcome.text : undefined;
}

/**
 * What can still be shown.
 * @param text the service's own; absent: there was no answer
 */
async function afterFailure(token: string, text: string | undefined): Promise<Figures> {
  if (text === undefined) return { trouble: UNREACHABLE };
  const [own, down] = await Promise.all([ask(token, OpsOwnFiguresDocument), findDown()]);
  if (own.kind === 'unreachable') return { trouble: UNREACHABLE };
  const trouble = down.includes('database') ? NO_DATABASE : { sentence: 'Not all figures can be read', remedy: text };
  if (own.kind !== 'data') return { trouble };
  return { trouble, report: own.data.performance, readAt: new Date(), isOfOneProcess: true };
}

/**
 * What the doctor finds; and Redis, as soon as the service itself misses it: the doctor looks every
 * half minute.
 * @returns undefined where nobody answers
 */
async function findingsOf(token: string): Promise<readonly Finding[] | undefined> {
  const [outcome, down] = await Promise.all([ask(token, OpsFindingsDocument), findDown()]);
  if (outcome.kind !== 'data') return undefined;
  const { findings } = outcome.data.performance;
  const isTold = !down.includes('redis') || findings.some(({ check }) => check.toLowerCase().includes('redis'));
  return isTold ? findings : [NO_REDIS, ...findings];
}
