import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../auth/caller.ts';
import { may } from '../auth/permissions.ts';
import type { Answer, LoadedAnswer } from '../cache/response/answer.ts';

/**
 * Whether the client asks, and may, to be told in `extensions.cache` what the cache had to do with
 * its answer.
 */
export function asksForReport(headers: IncomingHttpHeaders, caller: Caller | null): boolean {
  return headers['x-cache-debug'] === '1' && may(caller, 'seePerformance');
}

/**
 * The answer with `extensions.cache`. Made for the one request, when its answer is sent: what is
 * kept knows nothing of it.
 * @param key of the answer's entry; absent for a bypass
 */
export function withReport(answer: Answer, key: string | undefined): LoadedAnswer {
  const { status, headers, body, operationName } = 'entry' in answer ? asLoaded(answer) : answer.loaded;
  const cache = { ...reportOf(answer), ...(key !== undefined && { key }) };
  const isJson = headers['content-type']?.includes('json') ?? false; // Apollo Server refuses some requests with plain text
  return { status, headers, operationName, body: isJson ? extended(body, cache) : body };
}

function asLoaded({ entry }: Extract<Answer, { entry: unknown }>): LoadedAnswer {
  const { contentType, body, operationName } = entry;
  return { status: 200, headers: { 'content-type': contentType }, body, operationName };
}

function reportOf(answer: Answer): object {
  const { outcome } = answer;
  if (outcome === 'bypass') return { outcome, reason: answer.reason };
  const why =
    outcome === 'hit'
      ? { tier: answer.tier }
      : { ...answer.miss, isKept: 'entry' in answer, isJoined: 'entry' in answer && answer.isJoined };
  if (!('entry' in answer)) return { outcome, ...why };
  const { createdAtMs, expiresAtMs, namespace, versions } = answer.entry;
  const nowMs = Date.now();
  return { outcome, ...why, ageMs: nowMs - createdAtMs, ttlMs: expiresAtMs - nowMs, namespace, versions };
}

function extended(body: Buffer, cache: object): Buffer {
  const answer = JSON.parse(body.toString()) as { readonly extensions?: object };
  return Buffer.from(JSON.stringify({ ...answer, extensions: { ...answer.extensions, cache } }));
}
