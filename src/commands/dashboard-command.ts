import { type CommandLine, type CommandSpec, wholeNumber } from '../cli/command-line.ts';
import { formatCount, printable } from '../cli/format.ts';
import { formatTable } from '../cli/table.ts';
import {
  DASHBOARD_METRICS,
  type DashboardMetric,
  type DashboardMetrics,
  dashboardMetrics,
  type MetricAnswer,
} from '../dashboard/dashboard.metrics.ts';
import { DEFAULT_ACTIVITY_DAYS } from '../dashboard/dashboard.selection.ts';
import type { AccountGroup } from '../dashboard/dashboard.type.ts';
import { ErrorCode, OperatorError } from '../errors.ts';
import { errorCodeOf } from '../graphql/format-error.ts';
import { checkedDay } from '../graphql/input-checks.ts';
import type { CashFlow } from '../statistics/cash-flow.type.ts';
import { MAX_BUCKETS } from '../statistics/statistics.service.ts';
import { slugAsked } from './named-tenant.ts';
import { openTenantServices } from './tenant-services.ts';

const OPTIONS = {
  tenant: { type: 'string', value: '<slug>', description: 'Whose dashboard. Required.' },
  metric: { type: 'string', value: '<metric>', description: `One of ${DASHBOARD_METRICS.join(', ')}. Required.` },
  date: {
    type: 'string',
    value: '<date>',
    description: "Last day of the activity, YYYY-MM-DD. Default: the tenant's today. Accounts are as of now.",
  },
  days: {
    type: 'string',
    value: '<number>',
    description: `Days of the activity, 1 to ${MAX_BUCKETS}. Default: ${DEFAULT_ACTIVITY_DAYS}.`,
  },
  json: { type: 'boolean', description: 'For programs: the metric as the GraphQL field dashboard has it.' },
} as const;

export const DASHBOARD: CommandSpec<typeof OPTIONS> = {
  name: 'dashboard',
  summary: "Shows a metric of a tenant's dashboard. It is computed from the database as it is, and changes nothing.",
  options: OPTIONS,
  notes: 'The database is the one DATABASE_URL names, else the embedded one; the settings are those of the service.',
};

type Options = CommandLine<typeof OPTIONS>['options'];

export async function dashboardCommand({ options }: { readonly options: Options }): Promise<number> {
  const [slug, metric] = [slugAsked(options.tenant), metricAsked(options.metric)];
  const asked = { date: dayAsked(options.date), days: daysAsked(options.days, metric) };
  const { services, scope, close } = await openTenantServices(DASHBOARD.name, slug);
  try {
    const answer = await dashboardMetrics(services.dashboards, scope, metric, asked).catch((error: unknown) => {
      throw operatorErrorOf(error, slug, metric);
    });
    const json = () => JSON.stringify({ tenant: slug, metric, ...answer }, null, 2);
    process.stdout.write(`${options.json ? json() : textOf(slug, metric, answer)}\n`);
    return 0;
  } finally {
    await close();
  }
}

function metricAsked(name: string | undefined): DashboardMetric {
  const found = DASHBOARD_METRICS.find((metric) => metric === name);
  if (found) return found;
  const got = name === undefined ? 'it is missing' : `but got: "${name}"`;
  throw new OperatorError(`--metric must be one of ${DASHBOARD_METRICS.join(', ')}, ${got}.`, 'Nothing was read.');
}

function dayAsked(day: string | undefined): string | undefined {
  try {
    return day === undefined ? undefined : checkedDay('--date', day);
  } catch (cause) {
    throw new OperatorError((cause as Error).message, 'Give one that exists, for example --date 2026-02-28.', {
      cause,
    });
  }
}

function daysAsked(days: string | undefined, metric: DashboardMetric): number | undefined {
  if (days === undefined) return undefined;
  if (metric === 'activity') return wholeNumber('days', days, 1, MAX_BUCKETS);
  throw new OperatorError(
    `--days is of --metric activity, and --metric is ${metric}: accounts are as of now.`,
    'Leave it out.',
  );
}

const REMEDIES: Readonly<Record<DashboardMetric, string>> = {
  overview: 'Count the accounts by the GraphQL field accounts and its filter.',
  activity: 'Give fewer --days.',
  accounts: 'Take --metric overview, which does not tell banks apart.',
};

function operatorErrorOf(error: unknown, slug: string, metric: DashboardMetric): unknown {
  const code = errorCodeOf(error);
  if (code === ErrorCode.Unauthenticated)
    return new OperatorError(`The tenant "${slug}" was deleted just now.`, 'Give the slug of another.', {
      cause: error,
    });
  if (code !== ErrorCode.TooComplex) return error;
  const [what] = (error as Error).message.split('. ');
  return new OperatorError(`${what}.`, REMEDIES[metric], { cause: error });
}

const TEXTS: { readonly [Metric in DashboardMetric]: (value: DashboardMetrics[Metric]) => string } = {
  overview: ({ totalAccounts, activeAccounts, balances }) =>
    [
      `${formatCount(totalAccounts)} accounts, ${formatCount(activeAccounts)} of them active`,
      formatTable(
        ['currency', 'balance'],
        balances.map(({ currency, amount }) => [currency, amount]),
      ),
    ].join('\n\n'),
  activity: ({ series, totals }) =>
    formatTable(
      ['day', 'currency', 'transactions', 'inflow', 'outflow', 'net'],
      [...series, { date: 'all days', flows: totals }].flatMap(({ date, flows }) => flowRows(date, flows)),
    ),
  accounts: ({ accountsByType, accountsByStatus, accountsByBank }) =>
    [
      groupTable('type', accountsByType),
      groupTable('status', accountsByStatus),
      groupTable('bank', accountsByBank),
    ].join('\n\n'),
};

function textOf<Metric extends DashboardMetric>(slug: string, metric: Metric, answer: MetricAnswer<Metric>): string {
  return `${slug}, ${metric}, ${answer.date}\n\n${TEXTS[metric](answer.value)}`;
}

function flowRows(date: string, flows: readonly CashFlow[]): string[][] {
  if (flows.length === 0) return [[date, '-', '-', '-', '-', '-']];
  return flows.map(({ currency, transactionCount, inflow, outflow, net }) => [
    ...[date, currency, formatCount(transactionCount), inflow, outflow, net],
  ]);
}

/** A line for each currency; the first one has the number of accounts. */
function groupTable(name: string, groups: readonly AccountGroup[]): string {
  const rows = groups.flatMap(({ key, count, balances }) =>
    balances.map(({ currency, amount }, index) => [
      ...(index === 0 ? [printable(key), formatCount(count)] : ['', '']),
      ...[currency, amount],
    ]),
  );
  return formatTable([name, 'accounts', 'currency', 'balance'], rows);
}
