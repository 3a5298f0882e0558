import { Arg, Authorized, Ctx, FieldResolver, Query, Resolver } from 'type-graphql';
import { NeverKept } from '../cache/cache-control.ts';
import { type Caller, Role } from '../context/caller.ts';
import { requireScope } from '../context/require-scope.ts';
import { badUserInput } from '../errors.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { fixedCost } from '../graphql/complexity.ts';
import { isModel, MODELS } from '../indexes/tables.ts';
import type { IndexUsageRepository } from '../indexes/usage.repository.ts';
import { IndexUsage, TableStatistics } from '../indexes/usage.type.ts';
import type { Monitor } from './monitor.ts';
import { PerformanceReport } from './performance.type.ts';
import { serviceReport, tenantReport } from './performance-report.ts';
import { ResourceUsage } from './resource-usage.type.ts';
import type { ResourceMonitor } from './resources.ts';

/** What these resolvers need of the request's context. */
interface PerformanceContext {
  readonly caller: Caller | null;
  readonly services: {
    readonly monitor: Monitor;
    readonly resources: ResourceMonitor;
    readonly indexUsage: IndexUsageRepository;
  };
}

const MODEL = { nullable: true, description: `Only the table of this model: ${MODELS.join(', ')}.` } as const;

@Resolver(() => PerformanceReport)
export class PerformanceResolver {
  @NeverKept()
  @Authorized(Role.ANALYST, Role.ADMIN, Role.OPERATOR)
  @Query(() => PerformanceReport, {
    description:
      "How the service performs. ANALYST and ADMIN see the own tenant's operations, OPERATOR everything; never from the cache.",
  })
  performance(@Ctx() context: PerformanceContext): PerformanceReport {
    const { monitor } = context.services;
    return isOperator(context) ? serviceReport(monitor) : tenantReport(monitor, requireScope(context).tenantId);
  }

  @FieldResolver(() => ResourceUsage, { description: 'What the answering process uses.' })
  async resources(@Ctx() { services }: PerformanceContext): Promise<ResourceUsage> {
    return services.resources.read();
  }

  @FieldResolver(() => [IndexUsage], {
    description: "The indexes of the product's tables. For an OPERATOR; empty for others.",
    complexity: fixedCost(MODELS.length * 5),
  })
  async indexes(
    @Arg('model', () => String, MODEL) model: string | null | undefined,
    @Ctx() context: PerformanceContext,
  ): Promise<IndexUsage[]> {
    const models = selectedModels(model);
    return isOperator(context) ? context.services.indexUsage.indexes(models) : [];
  }

  @FieldResolver(() => [TableStatistics], {
    description: "The product's tables. For an OPERATOR; empty for others.",
    complexity: fixedCost(MODELS.length),
  })
  async tables(
    @Arg('model', () => String, MODEL) model: string | null | undefined,
    @Ctx() context: PerformanceContext,
  ): Promise<TableStatistics[]> {
    const models = selectedModels(model);
    return isOperator(context) ? context.services.indexUsage.tables(models) : [];
  }
}

function isOperator({ caller }: PerformanceContext): boolean {
  return caller?.role === Role.OPERATOR;
}

/** All models when none is named. An unknown one is refused for every role alike. */
function selectedModels(name: string | null | undefined): readonly Prisma.ModelName[] {
  if (name === null || name === undefined) return MODELS;
  if (!isModel(name)) throw badUserInput('model', `one of ${MODELS.join(', ')}`, name);
  return [name];
}
