import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Authorized, Ctx, FieldResolver, Info, Int, Query, Resolver } from 'type-graphql';
import type { Caller } from '../auth/caller.ts';
import { may, type Permission, roleFor } from '../auth/permissions.ts';
import { requireScope } from '../auth/require-scope.ts';
import type { Budget } from '../budget/budget.ts';
import { NeverKept } from '../cache/response/cache-control.ts';
import { isModel, MODELS } from '../database/tables.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { badUserInput } from '../errors.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { decidedByText, fixedCost, listCost, readByRowCost } from '../graphql/complexity.ts';
import { STATEMENT_POINTS } from '../graphql/prices.ts';
import { namesOf, selectedFields } from '../graphql/selection.ts';
import { sentences } from '../graphql/sentences.ts';
import type { IndexUsageRepository } from '../indexes/usage.repository.ts';
import { IndexUsage, TableStatistics } from '../indexes/usage.type.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import type { RequestTiming } from '../monitoring/request-timing.ts';
import { MAX_PAGE_SIZE } from '../paging/keyset.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { type TenantUsageRow, usageOf, usageOfTop } from '../usage/usage.repository.ts';
import { TenantUsage, TenantUsageOrder } from '../usage/usage.type.ts';
import { usageReport } from '../usage/usage-report.ts';
import { Finding } from './finding.type.ts';
import type { Findings } from './findings.ts';
import { PerformanceReport } from './performance.type.ts';
import { PerformanceMinute } from './performance-minute.type.ts';
import { minuteReport, serviceReport, tenantReport } from './performance-report.ts';
import { PerformanceScope } from './performance-scope.ts';
import { ResourceUsage } from './resource-usage.type.ts';
import type { ResourceMonitor } from './resources.ts';

/** What these resolvers need of the request's context. */
interface PerformanceContext {
  readonly caller: Caller | null;
  /** What statements are stopped with. */
  readonly timing: RequestTiming;
  readonly services: {
    readonly monitor: Monitor;
    readonly deployment: Deployment;
    readonly findings: Findings;
    readonly resources: ResourceMonitor;
    readonly indexUsage: IndexUsageRepository;
    readonly database: TenantDatabase;
    readonly budget: Budget;
  };
}

/** The figures of the process, put together, whichever are asked for. */
const REPORT_POINTS = 300;
/** Those of all processes, read and added up: some milliseconds for each. */
const DEPLOYMENT_POINTS = 10_000;
/** The checks of the doctor, which are made once in half a minute. */
const FINDINGS_POINTS = 2_000;
/** A day is kept. */
const MAX_MINUTES = 1_440;
/** PostgreSQL's statistics of indexes, with the widths of their columns, whichever are asked for. */
const INDEXES_POINTS = 5_000;
/** Those of tables, with their sizes. */
const TABLES_POINTS = 1_000;

/** Each row is added up for both spans, and its errors one by one. */
const USAGE_READS = 2;

const MODEL = {
  nullable: true,
  description: sentences(`Only the table of this model: ${MODELS.join(', ')}.`, 'Absent: all tables.'),
} as const;

@Resolver(() => PerformanceReport)
export class PerformanceResolver {
  @NeverKept()
  @Authorized<Permission>('seePerformance')
  @Query(() => PerformanceReport, {
    complexity: ({ args, childComplexity, context }) => {
      decidedByText(context);
      return childComplexity + (args.scope === PerformanceScope.DEPLOYMENT ? DEPLOYMENT_POINTS : REPORT_POINTS);
    },
    description: sentences(
      `How the service performs. Needs ${roleFor('seePerformance')}. Never from the cache.`,
      "ANALYST and ADMIN see the own tenant's operations, OPERATOR everything.",
    ),
  })
  async performance(
    @Arg('scope', () => PerformanceScope, {
      defaultValue: PerformanceScope.PROCESS,
      description: sentences(
        'Which processes the lists are of that are empty for others than an OPERATOR, and its operations.',
        'ANALYST and ADMIN see the answering process whatever they say.',
      ),
    })
    scope: PerformanceScope,
    @Ctx() context: PerformanceContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<PerformanceReport> {
    const { monitor, deployment } = context.services;
    if (!isOperator(context)) return tenantReport(monitor, requireScope(context).tenantId);
    const isOfAll = scope === PerformanceScope.DEPLOYMENT;
    const { figures, processes } = isOfAll ? await deployment.ofAll() : deployment.ofProcess();
    return serviceReport(figures, processes, namesOf(selectedFields(info)));
  }

  @FieldResolver(() => [PerformanceMinute], {
    description: sentences(
      'The last minutes of all processes together, the oldest first; one without a row had no process.',
      'Each has what was answered within it; of the running one only what ended processes wrote. A day is kept.',
      'For an OPERATOR; empty for others.',
    ),
    complexity: (args) => STATEMENT_POINTS + listCost('minutes', MAX_MINUTES)(args),
  })
  async history(
    @Arg('minutes', () => Int, { defaultValue: 180, description: 'How far back, 1 to 1440.' }) minutes: number,
    @Ctx() context: PerformanceContext,
  ): Promise<PerformanceMinute[]> {
    if (!Number.isInteger(minutes) || minutes < 1 || minutes > MAX_MINUTES)
      throw badUserInput('minutes', `a whole number between 1 and ${MAX_MINUTES}`, minutes);
    if (!isOperator(context)) return [];
    return (await context.services.deployment.minutes(minutes, context.timing)).map(minuteReport);
  }

  @FieldResolver(() => [Finding], {
    description: sentences(
      'What is wrong now, and what to do about it: the words of npm run doctor, half a minute old at most.',
      'For an OPERATOR; empty for others.',
    ),
    complexity: (args) => FINDINGS_POINTS + fixedCost(5)(args),
  })
  async findings(@Ctx() context: PerformanceContext): Promise<Finding[]> {
    return isOperator(context) ? context.services.findings.read() : [];
  }

  @FieldResolver(() => ResourceUsage, {
    description: 'What the answering process uses.',
    // Redis is asked.
    complexity: ({ childComplexity }) => STATEMENT_POINTS + childComplexity,
  })
  async resources(@Ctx() { services }: PerformanceContext): Promise<ResourceUsage> {
    return services.resources.read();
  }

  @FieldResolver(() => [IndexUsage], {
    description: "Indexes of the product's tables, by table and name. For an OPERATOR; empty for others.",
    complexity: (args) => INDEXES_POINTS + fixedCost(MODELS.length * 5)(args),
  })
  async indexes(
    @Arg('model', () => String, MODEL) model: string | null | undefined,
    @Ctx() context: PerformanceContext,
  ): Promise<IndexUsage[]> {
    const models = selectedModels(model);
    return isOperator(context) ? context.services.indexUsage.indexes(context.timing, models) : [];
  }

  @FieldResolver(() => [TableStatistics], {
    description: 'Tables of the product, by name. For an OPERATOR; empty for others.',
    complexity: (args) => TABLES_POINTS + fixedCost(MODELS.length)(args),
  })
  async tables(
    @Arg('model', () => String, MODEL) model: string | null | undefined,
    @Ctx() context: PerformanceContext,
  ): Promise<TableStatistics[]> {
    const models = selectedModels(model);
    return isOperator(context) ? context.services.indexUsage.tables(context.timing, models) : [];
  }

  @FieldResolver(() => [TenantUsage], {
    description: sentences(
      'What tenants cost over the last hour and day, in all processes together, and what they may spend.',
      'For an OPERATOR all tenants that did anything; for ANALYST and ADMIN the own one.',
    ),
    complexity: (args) => STATEMENT_POINTS + listCost('first')(args) + readByRowCost('usage', USAGE_READS, args),
  })
  async tenants(
    @Arg('first', () => Int, { defaultValue: 10, description: 'How many tenants at most, 1 to 100.' }) first: number,
    @Arg('orderBy', () => TenantUsageOrder, {
      defaultValue: TenantUsageOrder.POINTS,
      description: 'Figure of the last day that decides the order, the highest first.',
    })
    orderBy: TenantUsageOrder,
    @Ctx() context: PerformanceContext,
  ): Promise<TenantUsage[]> {
    if (!isSize(first)) throw badUserInput('first', `a whole number between 1 and ${MAX_PAGE_SIZE}`, first);
    const { database, budget } = context.services;
    const report = (row: TenantUsageRow) => usageReport(row, (own) => budget.limitOfTenant(own));
    if (isOperator(context)) return (await usageOfTop(database, orderBy, first, context.timing)).map(report);
    const own = await usageOf(database, requireScope(context));
    return own ? [report(own)] : [];
  }
}

function isSize(first: number): boolean {
  return Number.isInteger(first) && first >= 1 && first <= MAX_PAGE_SIZE;
}

function isOperator({ caller }: PerformanceContext): boolean {
  return may(caller, 'seeAllTenants');
}

/** All models when none is named. An unknown one is refused for every role alike. */
function selectedModels(name: string | null | undefined): readonly Prisma.ModelName[] {
  if (name === null || name === undefined) return MODELS;
  if (!isModel(name)) throw badUserInput('model', `one of ${MODELS.join(', ')}`, name);
  return [name];
}
