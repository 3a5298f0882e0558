import type { TestService } from './service.ts';

/** What tells the points; costs them too, and more while it is new (`makeKnown`). */
export const RATE_LIMIT = '{ rateLimit { remaining cost resetAt } }';

/**
 * What `work` takes of the caller's points. They are given anew each minute: work in which one
 * began is done again.
 * @param token of a service to which RATE_LIMIT is known
 * @param work told how often it was done before, where it must be something else each time
 */
export async function pointsTaken<Result>(
  service: Pick<TestService, 'send'>,
  token: string,
  work: (attempt: number) => Promise<Result>,
): Promise<{ readonly points: number; readonly result: Result }> {
  for (let attempt = 0; ; attempt++) {
    const before = (await service.send(token, RATE_LIMIT)).data.rateLimit;
    const result = await work(attempt);
    const after = (await service.send(token, RATE_LIMIT)).data.rateLimit;
    if (before.resetAt === after.resetAt) return { points: before.remaining - after.remaining - after.cost, result };
  }
}
