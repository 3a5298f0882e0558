import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../../graphql/fuzz/random.ts';
import { describeWithRedis } from '../../support/redis.ts';
import { twinAccountId } from '../../support/twin-tenants.ts';
import type { Attempt, Kind } from './attempt.ts';
import { CACHE_KINDS } from './kinds/cache.ts';
import { CALLER_KINDS } from './kinds/callers.ts';
import { CONNECTION_KINDS } from './kinds/connections.ts';
import { CURSOR_KINDS } from './kinds/cursors.ts';
import { DOCUMENT_KINDS } from './kinds/documents.ts';
import { HTTP_KINDS } from './kinds/http.ts';
import { VARIABLE_KINDS } from './kinds/variables.ts';
import { WRITE_KINDS } from './kinds/writes.ts';
import { expectDeliberate } from './verdict.ts';
import { type HostileService, OWN, startHostileService, THEIRS } from './world.ts';

const KINDS: readonly Kind[] = [
  ...[...DOCUMENT_KINDS, ...VARIABLE_KINDS, ...CURSOR_KINDS, ...WRITE_KINDS],
  ...[...CACHE_KINDS, ...CALLER_KINDS, ...HTTP_KINDS, ...CONNECTION_KINDS],
];
const ATTEMPTS_PER_KIND = 92;
const MIN_KINDS = 20;
const MIN_ATTEMPTS = 4_000;
const AT_ONCE = 12;

/** No kind writes to this account. */
const QUERY = `{ viewer { role tenant { slug timeZone } } account(id: "${twinAccountId(35)}") { accountNumber bankName version } }`;

let hostile: HostileService;
let expected: readonly unknown[];
let attempted = 0;

beforeAll(async () => {
  hostile = await startHostileService();
  expected = await Promise.all([hostile.tokens.VIEWER, hostile.theirToken].map(answerTo));
});
afterAll(() => hostile.close());

describeWithRedis('whatever is sent, the service answers on purpose and serves on', () => {
  test.each(KINDS.map((kind, at) => [kind.name, kind, at] as const))('%s', async (_name, kind, at) => {
    const attempts = await kind.attempts(hostile, new Random(20_261_130 + at), ATTEMPTS_PER_KIND);
    attempted += attempts.length;
    await each(attempts, kind.atOnce ?? AT_ONCE, async (attempt) =>
      expectDeliberate(hostile, kind, attempt, await attempt.send(hostile.url)),
    );
    expect(hostile.logged.splice(0)).toEqual([]);
    expect(await Promise.all([hostile.tokens.VIEWER, hostile.theirToken].map(answerTo))).toEqual(expected);
    expect(expected).toMatchObject([{ viewer: { tenant: OWN_SHOWN } }, { viewer: { tenant: THEIRS_SHOWN } }]);
    const { status } = await fetch(`${hostile.url}/health/ready`);
    expect(status).toBe(200);
  });

  test(`there were ${MIN_ATTEMPTS} requests of ${MIN_KINDS} kinds at least`, () => {
    expect(new Set(KINDS.map(({ name }) => name)).size).toBeGreaterThanOrEqual(MIN_KINDS);
    expect(attempted).toBeGreaterThanOrEqual(MIN_ATTEMPTS);
  });
});

const OWN_SHOWN = { slug: OWN.slug, timeZone: OWN.timeZone };
const THEIRS_SHOWN = { slug: THEIRS.slug, timeZone: THEIRS.timeZone };

async function answerTo(token: string): Promise<unknown> {
  const { status, data, errors } = await hostile.service.send(token, QUERY);
  expect([status, errors]).toEqual([200, undefined]);
  return data;
}

/** Does the work for each, so many together. */
async function each(
  attempts: readonly Attempt[],
  atOnce: number,
  work: (attempt: Attempt) => Promise<void>,
): Promise<void> {
  const left = attempts.values();
  const worker = async () => {
    for (const attempt of left) await work(attempt);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, attempts.length) }, worker));
}
