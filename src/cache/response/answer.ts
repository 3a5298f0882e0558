import type { BypassReason, CacheTier, MissReason } from '../../monitoring/cache-statistics.ts';
import type { ResponseEntry } from '../store/entry.ts';
import { changedSince, type Versions } from '../versions/versions.ts';
import type { AnswerPolicy } from './answer-policy.ts';

/** An answer as it was computed. Only those with a policy may be kept. */
export interface LoadedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly operationName: string | null;
  /** The code of the first error; absent for an answer without. */
  readonly errorCode?: string | undefined;
  /** Of the request that its errors name. */
  readonly requestId?: string;
  /** Absent for answers that must not be kept: errors, mutations, answers of the moment. */
  readonly policy?: AnswerPolicy;
}

/** Why a lookup found nothing to serve. */
export interface Miss {
  readonly reason: MissReason;
  /** What the entry that was found depends on and was changed since, when it is `old`. */
  readonly changed?: readonly string[];
}

/** What a request is answered with, and what the cache had to do with it. */
export type Answer = Hit | KeptMiss | LoadedMiss | Bypass;

export interface Hit {
  readonly outcome: 'hit';
  readonly tier: CacheTier;
  readonly entry: ResponseEntry;
}

/** It was loaded, and is kept. */
export interface KeptMiss {
  readonly outcome: 'miss';
  readonly miss: Miss;
  readonly entry: ResponseEntry;
  /** Loaded for another request or process that asked for the same. */
  readonly isJoined: boolean;
}

/** It was loaded, and is not kept. */
export interface LoadedMiss {
  readonly outcome: 'miss';
  readonly miss: Miss;
  readonly loaded: LoadedAnswer;
}

/** It was not looked up. */
export interface Bypass {
  readonly outcome: 'bypass';
  /** `budget`: no points are left, whatever is kept. */
  readonly reason: BypassReason | 'budget';
  readonly loaded: LoadedAnswer;
}

/** What the cache had to do with an answer, for logs, traces and counts. */
export interface DescribedAnswer {
  readonly outcome: Answer['outcome'];
  /** Of a hit. */
  readonly tier?: CacheTier;
  /** Of a miss and a bypass. */
  readonly reason?: MissReason | Bypass['reason'];
  readonly namespace?: string;
  /** Whether another request or process computed it. */
  readonly isJoined?: boolean;
}

export function describeAnswer(answer: Answer): DescribedAnswer {
  const { outcome } = answer;
  if (outcome === 'bypass') return { outcome, reason: answer.reason };
  if (outcome === 'hit') return { outcome, tier: answer.tier, namespace: answer.entry.namespace };
  const { reason } = answer.miss;
  if (!('entry' in answer)) return { outcome, reason };
  return { outcome, reason, namespace: answer.entry.namespace, isJoined: answer.isJoined };
}

export function whyMissed(entry: ResponseEntry | undefined, now: Versions): Miss {
  if (!entry) return { reason: 'absent' };
  const changed = changedSince(entry.versions, now);
  return changed.length > 0 ? { reason: 'old', changed } : { reason: 'expired' };
}
