import { readFile, stat } from 'node:fs/promises';

import { OperatorError, UnavailableError } from '../errors.ts';
import { type ProductQuery, productQueries } from './product-queries.ts';
import type { TenantSample } from './samples.ts';
import { DAY_SECONDS, findProductQuery, MIN_OBSERVED_SECONDS, type WorkloadStatement } from './workload.ts';

/** What a service is asked for; its answer, saved as a file, is taken as well. */
export const REPORT_QUERY =
  '{ performance { since queries { model action latency { count mean } } slowQueries { sql durationMs } } }';

/**
 * Beside its counters a service has its last slow statements, each with the shape that it was sent
 * in.
 */
export interface ServiceReport {
  readonly queries: readonly {
    readonly model: string | null;
    readonly action: string;
    readonly latency: { readonly count: number; readonly mean: number };
  }[];
  readonly slowQueries: readonly { readonly sql: string; readonly durationMs: number }[];
  readonly observedSeconds: number;
}

/** An answer to `REPORT_QUERY`. */
interface Answer {
  readonly data?: { readonly performance?: (Omit<ServiceReport, 'observedSeconds'> & { since: string }) | null };
  readonly errors?: readonly { readonly message: string }[];
}

/** Where a report comes from: a running service, or a file with its answer. */
export type ReportSource =
  | { readonly url: string; readonly token: string }
  | {
      /** Counted until it was written. */
      readonly file: string;
    };

/** @throws OperatorError when there is none */
export async function readReport(source: ReportSource): Promise<ServiceReport> {
  return 'file' in source ? readReportFile(source.file) : askService(source);
}

/**
 * The workload of a service, where PostgreSQL does not keep one. The service counts by model and
 * action; how often each filter and order was asked for it does not tell, so that the calls are
 * shared out evenly over the product's queries of the action. Of statements that are none of these
 * it knows those that were slow.
 */
export async function workloadOfService(
  { queries: counted, slowQueries, observedSeconds }: ServiceReport,
  sample: TenantSample,
): Promise<WorkloadStatement[]> {
  const perDay = DAY_SECONDS / Math.max(observedSeconds, MIN_OBSERVED_SECONDS);
  const queries = await productQueries(sample);
  const actions = counted.flatMap(({ model, action, latency }) => {
    const shapes = distinctTexts(queries.filter((query) => query.model === model && query.action === action));
    return shapes.map((sql) => ({ sql, callsPerDay: (latency.count * perDay) / shapes.length, meanMs: latency.mean }));
  });
  const others = [...new Set(slowQueries.map(({ sql }) => sql))].filter((sql) => !findProductQuery(sql, queries));
  return [...actions, ...others.map((sql) => slowStatement(sql, slowQueries, perDay))];
}

function slowStatement(sql: string, slowQueries: ServiceReport['slowQueries'], perDay: number): WorkloadStatement {
  const sent = slowQueries.filter((query) => query.sql === sql);
  const totalMs = sent.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return { sql, callsPerDay: sent.length * perDay, meanMs: totalMs / sent.length };
}

async function askService({ url, token }: { url: string; token: string }): Promise<ServiceReport> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const body = JSON.stringify({ query: REPORT_QUERY });
  const answer = await fetch(url, { method: 'POST', headers, body }).catch((cause) => {
    throw new UnavailableError(`There is no service at ${url}.`, 'Give the URL of its /graphql.', { cause });
  });
  return reportOf(`The service at ${url}`, await answer.text(), new Date());
}

async function readReportFile(file: string): Promise<ServiceReport> {
  try {
    return reportOf(file, await readFile(file, 'utf8'), (await stat(file)).mtime);
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    throw new OperatorError(`${file} cannot be read: ${(cause as Error).message}`, SAVE_REPORT, { cause });
  }
}

const SAVE_REPORT = `Save the answer to this query of an OPERATOR: ${REPORT_QUERY}`;

function reportOf(from: string, text: string, until: Date): ServiceReport {
  const { data, errors } = parsed(text);
  const report = data?.performance;
  if (!report || !Array.isArray(report.queries) || Number.isNaN(Date.parse(report.since)))
    throw new OperatorError(
      `${from} does not tell the service's queries: ${errors?.[0]?.message ?? text.slice(0, 80)}`,
      `Give --token of an OPERATOR (npm run --silent token -- --role OPERATOR). ${SAVE_REPORT}`,
    );
  const { queries, slowQueries = [], since } = report;
  return { queries, slowQueries, observedSeconds: (until.getTime() - Date.parse(since)) / 1000 };
}

function parsed(text: string): Answer {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {}; // the caller shows the text
  }
}

function distinctTexts(queries: readonly ProductQuery[]): string[] {
  return [...new Set(queries.map(({ query }) => query.text))];
}
