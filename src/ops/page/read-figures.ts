import { type Asker, ask, findDown, type Outcome } from './api.ts';
import {
  OpsFiguresDocument,
  OpsFindingsDocument,
  type OpsFindingsQuery,
  OpsMinutesDocument,
  type OpsMinutesQuery,
  OpsOwnFiguresDocument,
  type ReportFiguresFragment,
} from './generated/graphql.ts';

export type Report = ReportFiguresFragment;
export type Minutes = OpsMinutesQuery['performance'];
export type Finding = OpsFindingsQuery['performance']['findings'][number];

/** Why not everything that is shown is current. */
export interface Trouble {
  readonly sentence: string;
  readonly remedy: string;
}

/** What one reading gives. */
export interface ReadFigures {
  readonly report?: Report;
  readonly minutes?: Minutes;
  /** When `report` was read. */
  readonly readAt?: Date;
  /** Whether `report` is of the answering process alone. */
  readonly isOfOneProcess?: boolean;
  readonly trouble?: Trouble;
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
 * @param minutes how far back those go that change by the minute; undefined: they are not asked for
 * @returns the figures; with `trouble`, what can still be read of them
 */
export async function readFigures(asker: Asker, minutes: number | undefined): Promise<ReadFigures | 'refused'> {
  const [fast, slow] = await Promise.all([
    ask(asker, OpsFiguresDocument),
    minutes === undefined ? undefined : ask(asker, OpsMinutesDocument, { minutes }),
  ]);
  if (fast.kind === 'refused') return 'refused';
  if (fast.kind === 'data' && (!slow || slow.kind === 'data')) {
    return { report: fast.data.performance, readAt: new Date(), ...(slow && { minutes: slow.data.performance }) };
  }
  return readAfterFailure(asker, fast.kind === 'failed' ? fast.text : textOf(slow));
}

function textOf(outcome: Outcome<unknown> | undefined): string | undefined {
  return outcome?.kind === 'failed' ? outcome.text : undefined;
}

/**
 * What can still be shown.
 * @param text the service's own; absent: there was no answer
 */
async function readAfterFailure(asker: Asker, text: string | undefined): Promise<ReadFigures> {
  if (text === undefined) return { trouble: UNREACHABLE };
  const [own, down] = await Promise.all([ask(asker, OpsOwnFiguresDocument), findDown(asker.signal)]);
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
export async function readFindings(asker: Asker): Promise<readonly Finding[] | undefined> {
  const [outcome, down] = await Promise.all([ask(asker, OpsFindingsDocument), findDown(asker.signal)]);
  if (outcome.kind !== 'data') return undefined;
  const { findings } = outcome.data.performance;
  const isTold = !down.includes('redis') || findings.some(({ check }) => check.toLowerCase().includes('redis'));
  return isTold ? findings : [NO_REDIS, ...findings];
}
