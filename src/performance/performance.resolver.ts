import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Authorized, Ctx, FieldResolver, Info, Int, Query, Resolver } from 'type-graphql';
import type { Caller } from '../auth/caller.ts';
import { may, type Permission, roleFor } from '../auth/permissions.ts';
import { requireScope } from '../auth/require-scope.ts';
import { NeverKept } from '../cache/response/cache-control.ts';
import { isModel, MODELS } from '../database/tables.ts';
import { badUserInput } from '../errors.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { fixedCost, listCost, readByRowCost } from '../graphql/complexity.ts';
import { STATEMENT_POINTS } from '../graphql/prices.ts';
import { namesOf, selectedFields } from '../graphql/selection.ts';
import { sentences } from '../graphql/sentences.ts';
import type { IndexUsageRepository } from '../indexes/usage.repository.ts';
import { IndexUsage, TableStatistics } from '../indexes/usage.type.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import type { RequestTiming } from '../monitoring/request-timing.ts';
import { MAX_PAGE_SIZE } from '../paging/keyset.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { usageOf, usageOfTop } from '../usage/usage.repository.ts';
import { TenantUsage, TenantUsageOrder } from '../usage/usage.type.ts';
import { usageReport } from '../usage/usage-report.ts';
import { PerformanceReport } from './performance.type.ts';
import { serviceReport, tenantReport } from './performance-report.ts';
import { ResourceUsage } from './resource-usage.type.ts';
import type { ResourceMonitor } from './resources.ts';

/** What these resolvers need of the request's context. */
interface PerformanceContext {
  readonly caller: Caller | null;
  /** What statements are stopped with. */
  readonly timing: RequestTiming;
  readonly services: {
    readonly monitor: Monitor;
    readonly resources: ResourceMonitor;
    readonly indexUsage: IndexUsageRepository;
    readonly database: TenantDatabase;
  };
}

/** The figures of the process, put together, whichever are asked for. */
const REPORT_POINTS = 300;
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
    complexity: ({ childComplexity }) => REPORT_POINTS + childComplexity,
    description: sentences(
      `How the service performs. Needs ${roleFor('seePerformance')}. Never from the cache.`,
      "ANALYST and ADMIN see the own tenant's operations, OPERATOR everything.",
    ),
  })
  performance(@Ctx() context: PerformanceContext, @Info() info: GraphQLResolveInfo): PerformanceReport {
    const { monitor } = context.services;
    return isOperator(context)
      ? serviceReport(monitor, namesOf(selectedFields(info)))
      : tenantReport(monitor, requireScope(context).tenantId);
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
      'What tenants cost over the last hour and day, in all processes together.',
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
    const { database } = context.services;
    if (isOperator(context)) return (await usageOfTop(database, orderBy, first, context.timing)).map(usageReport);
    const own = await usageOf(database, requireScope(context));
    return own ? [usageReport(own)] : [];
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
