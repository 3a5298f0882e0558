import { type HistogramParts, LatencyHistogram } from '../latency-histogram.ts';
import type { Connection } from './process.repository.ts';

/** Sums of `service_minutes`, by column. */
const SUMS = {
  processes: 'processes',
  requests: 'requests',
  hits: 'hits',
  misses: 'misses',
  bypasses: 'bypasses',
  errors: 'errors',
  refusals: 'refusals',
  statements: 'statements',
  databaseMs: 'database_ms',
} as const;
export type MinuteSum = keyof typeof SUMS;
const COLUMNS = Object.values(SUMS);
const HISTOGRAMS = ['latency', 'hit_latency'] as const;

/** What all processes counted in a minute. */
export interface ServiceMinute extends Readonly<Record<MinuteSum, number>> {
  readonly start: Date;
  readonly latency: LatencyHistogram;
  readonly hitLatency: LatencyHistogram;
  /** Whether some process did not trust its cache. */
  readonly untrusted: boolean;
}

/** What one process counted. */
export type CountedMinute = Omit<ServiceMinute, 'start'>;

/**
 * A later day's minute takes the place of the earlier one, and of one that a clock ahead has written;
 * one that is late is left out.
 */
const ADDED = (column: string, sum: string) =>
  `${column} = CASE WHEN kept.start = excluded.start THEN ${sum} ELSE excluded.${column} END`;
const OF_BUCKETS = (column: string) => `ARRAY(
  SELECT coalesce(a, 0) + coalesce(b, 0) FROM unnest(kept.${column}, excluded.${column}) WITH ORDINALITY AS both_of (a, b, bucket)
   ORDER BY bucket)`;
const ADD = `
  INSERT INTO service_minutes AS kept (minute, start, ${COLUMNS.join(', ')}, untrusted,
    ${HISTOGRAMS.map((name) => `${name}, ${name}_ms, ${name}_max_ms`).join(', ')})
  SELECT floor(extract(epoch FROM start) / 60)::bigint % 1440, start, ${COLUMNS.map((_, place) => `$${place + 2}`).join(', ')},
    $${COLUMNS.length + 2}::boolean, ${HISTOGRAMS.map((_, place) => `$${COLUMNS.length + 3 + 3 * place}::integer[], $${COLUMNS.length + 4 + 3 * place}, $${COLUMNS.length + 5 + 3 * place}`).join(', ')}
    FROM (SELECT to_timestamp(floor(extract(epoch FROM clock_timestamp() - $1 * interval '1 millisecond') / 60) * 60) AS start) AS own
  ON CONFLICT (minute) DO UPDATE SET start = excluded.start,
    ${COLUMNS.map((column) => ADDED(column, `kept.${column} + excluded.${column}`)).join(', ')},
    ${ADDED('untrusted', 'kept.untrusted OR excluded.untrusted')},
    ${HISTOGRAMS.flatMap((name) => [
      ADDED(name, OF_BUCKETS(name)),
      ADDED(`${name}_ms`, `kept.${name}_ms + excluded.${name}_ms`),
      ADDED(`${name}_max_ms`, `greatest(kept.${name}_max_ms, excluded.${name}_max_ms)`),
    ]).join(', ')}
   WHERE kept.start <= excluded.start OR kept.start > clock_timestamp() + interval '1 minute'`;

/**
 * Adds to the row of the minute that was the running one, by the database's clock, `ageMs` ago: what
 * processes add at the same time adds up.
 */
export async function addMinute(connection: Connection, ageMs: number, counted: CountedMinute): Promise<void> {
  const histograms = [counted.latency, counted.hitLatency].flatMap((histogram) => {
    const { counts, sumMs, maxMs } = histogram.parts();
    return [counts, sumMs, maxMs];
  });
  const sums = (Object.keys(SUMS) as MinuteSum[]).map((sum) => counted[sum]);
  await connection.query(ADD, [ageMs, ...sums, counted.untrusted, ...histograms]);
}

type MinuteRow = Readonly<Record<MinuteSum, number>> & {
  readonly start: Date;
  readonly untrusted: boolean;
  readonly latency: HistogramParts;
  readonly hitLatency: HistogramParts;
};

/** The rows of the last minutes, the oldest first. */
export async function readMinutes(connection: Connection, minutes: number): Promise<ServiceMinute[]> {
  const sums = Object.entries(SUMS).map(([name, column]) => `${column}::float8 AS "${name}"`);
  const parts = (column: string) =>
    `json_build_object('counts', coalesce(${column}, '{}'), 'sumMs', ${column}_ms, 'maxMs', ${column}_max_ms)`;
  const { rows } = await connection.query<MinuteRow>(
    `SELECT start, ${sums.join(', ')}, untrusted, ${parts('latency')} AS latency, ${parts('hit_latency')} AS "hitLatency"
       FROM service_minutes WHERE start > clock_timestamp() - $1 * interval '1 minute' AND start <= clock_timestamp() ORDER BY start`,
    [minutes],
  );
  return rows.map((row) => ({
    ...row,
    latency: histogramOf(row.latency),
    hitLatency: histogramOf(row.hitLatency),
  }));
}

function histogramOf(parts: HistogramParts): LatencyHistogram {
  const histogram = new LatencyHistogram();
  histogram.addParts(parts);
  return histogram;
}
