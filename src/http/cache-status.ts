import type { Answer, Bypass, Hit } from '../cache/response/answer.ts';

/**
 * The `Cache-Status` header (RFC 9211) of an answer, for example `tenantry; hit; ttl=1788;
 * detail="memory, 12 s"`: where it was found and how old it is; `tenantry; fwd=miss; stored;
 * detail="old: accounts"`: why nothing was found, and whether the answer is kept; `tenantry;
 * fwd=bypass; detail=mutation`: why nothing was looked for.
 */
export function cacheStatus(answer: Answer): string {
  if (answer.outcome === 'hit') return statusOfHit(answer);
  if (answer.outcome === 'bypass') return bypassStatus(answer.reason);
  const { reason, changed } = answer.miss;
  const kept = 'entry' in answer ? (answer.isJoined ? '; collapsed' : '; stored') : '';
  return `tenantry; fwd=miss${kept}; detail=${changed ? `"${reason}: ${changed.join(' ')}"` : reason}`;
}

export function bypassStatus(reason: Bypass['reason']): string {
  return `tenantry; fwd=bypass; detail=${reason}`;
}

function statusOfHit({ tier, entry: { createdAtMs, expiresAtMs } }: Hit): string {
  const nowMs = Date.now();
  return `tenantry; hit; ttl=${seconds(expiresAtMs - nowMs)}; detail="${tier}, ${seconds(nowMs - createdAtMs)} s"`;
}

/** Whole ones, whose texts V8 remembers. */
function seconds(ms: number): number {
  return Math.max(0, Math.trunc(ms / 1000));
}
