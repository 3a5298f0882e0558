interface KindOfAnswer {
  /** How long an answer is kept by default; absent: as long as those of no kind of their own. */
  readonly ttlSeconds?: number;
}

/**
 * Kinds of answers, as the metrics count them, the more telling first: an answer of several kinds
 * counts as the first. Those but the last are namespaces, by which they are invalidated by hand.
 * `CACHE_TTL_<KIND>_SECONDS` sets another time to live. Every role that reads a tenant's data may
 * see each of them: an answer that shows less, or more, to some is never kept, or is kept for one
 * viewer alone.
 */
export const ANSWER_KINDS = {
  /** Of the tenant's day, and so the one that is computed most. */
  dashboard: { ttlSeconds: 1_800 },
  statistics: { ttlSeconds: 3_600 },
  /** Lists of accounts come in many forms, few of which are asked for again. */
  accounts: { ttlSeconds: 300 },
  transactions: {},
  other: { ttlSeconds: 3_600 },
} as const satisfies Readonly<Record<string, KindOfAnswer>>;

export type AnswerKind = keyof typeof ANSWER_KINDS;

export const KINDS = Object.keys(ANSWER_KINDS) as readonly AnswerKind[];

/** The setting of a kind's time to live. */
export function ttlSettingOf(kind: AnswerKind): string {
  return `CACHE_TTL_${kind.toUpperCase()}_SECONDS`;
}

/** By default; undefined: that of `other`. */
export function defaultTtlSeconds(kind: AnswerKind): number | undefined {
  return (ANSWER_KINDS[kind] as KindOfAnswer).ttlSeconds;
}
