import { setTimeout as delay } from 'node:timers/promises';
import { OperatorError } from '../errors.ts';
import { type Subject, TIME_LIMIT_MS } from './subject.ts';

/**
 * `fault`: the service does not start in production, answers wrongly, or cannot use its cache.
 * `skipped`: it could not be looked at.
 */
export type Status = 'ok' | 'warning' | 'fault' | 'skipped';

export interface Finding {
  readonly status: Status;
  /** What was found, or why nothing was looked at. */
  readonly found: string;
  /** What to do; empty where nothing is to be done. */
  readonly remedy: string;
}

export interface Check {
  readonly name: string;
  /** Names of checks without whose success this one cannot look. */
  readonly needs?: readonly string[];
  /**
   * Changes nothing. @throws OperatorError of a fault, as whatever it calls does; anything else
   *   where it cannot look
   */
  look(subject: Subject): Promise<Finding | readonly Finding[]>;
}

/** A finding of a check. */
export interface Result extends Finding {
  readonly name: string;
}

export const ok = (found: string): Finding => ({ status: 'ok', found, remedy: '' });
export const warning = (found: string, remedy: string): Finding => ({ status: 'warning', found, remedy });
export const fault = (found: string, remedy: string): Finding => ({ status: 'fault', found, remedy });
export const skipped = (why: string): Finding => ({ status: 'skipped', found: why, remedy: '' });

/**
 * Makes the checks one after another, each on connections of its own: a busy server is not made
 * busier, and one that hangs holds up no other for longer than its limit.
 * @param late what is found of a check that took longer
 */
export async function makeChecks(
  checks: readonly Check[],
  subject: Subject,
  limitMs = TIME_LIMIT_MS,
  late: (said: string) => Finding = skipped,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const isOk = (name: string) => results.every((it) => it.name !== name || it.status === 'ok');
  for (const check of checks) {
    const lacking = check.needs?.filter((name) => !isOk(name)) ?? [];
    const findings = lacking.length
      ? [skipped(`not possible without: ${lacking.join(', ')}`)]
      : await findingsOf(check, subject, limitMs, late);
    results.push(...findings.map((finding) => ({ name: check.name, ...finding })));
  }
  return results;
}

async function findingsOf(
  check: Check,
  subject: Subject,
  limitMs: number,
  late: (said: string) => Finding,
): Promise<readonly Finding[]> {
  const over = new AbortController();
  const tooLate = delay(limitMs, undefined, { signal: over.signal }).then(
    () => late(`it took longer than ${limitMs / 1000} s`),
    () => skipped('it was done in time'),
  );
  try {
    return [await Promise.race([check.look(subject), tooLate])].flat();
  } catch (error) {
    if (error instanceof OperatorError) return [fault(error.message, error.remedy)];
    return [skipped(error instanceof Error ? error.message : String(error))];
  } finally {
    over.abort();
  }
}
