import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, type ClassType, Ctx, FieldResolver, Info, Query, Resolver, Root } from 'type-graphql';
import { BatchMapping } from '../batching/batch-mapping.ts';
import { connectionOf, connectionsOf } from '../batching/connections.ts';
import { rowsNamedBy } from '../batching/named-rows.ts';
import { RequestContext } from '../context/request-context.ts';
import { nestedPageCost, pageCost } from '../graphql/complexity.ts';
import { CONNECTION_COUNT, ConnectionArgs } from '../graphql/pagination.ts';
import type { ConnectionPage } from '../graphql/pagination.type.ts';
import { namesOf, type SelectedField } from '../graphql/selection.ts';
import { type Model, type ModelRow, NEWEST_FIRST, type Parent } from './define-model.ts';
import { filterType, type ModelFilter, modelConditions, namesGiven } from './model-filter.ts';

/** Nobody keeps how many rows a parent has: it is taken for an account with its transactions. */
const OF_PARENT = 'ofAccount';
const REMEDY = 'narrow the filter, or turn pages by cursors';

/**
 * The resolvers of a model: the list of the tenant's rows, and with a parent the rows of each
 * parent and the parent of each row. The permission is that of all data of a tenant: a caller of
 * it.
 */
export function modelResolvers(model: Model): ClassType[] {
  const filter = filterType(model);
  const { parent } = model;
  return [
    listResolver(model, filter),
    ...(parent ? [parentResolver(model, parent, filter), rowResolver(model, parent)] : []),
  ];
}

function listResolver(model: Model, Filter: ClassType<ModelFilter>): ClassType {
  const { list } = model;

  @Resolver()
  class ModelListResolver {
    @Query(() => model.connection, {
      name: list,
      complexity: pageCost({
        scannedToFind: ({ filter }) => (isSearched(filter, model.parent?.key) ? 'rows' : undefined),
        scannedToCount: () => 'countedRows',
        countFields: CONNECTION_COUNT,
      }),
      description: `The tenant's ${list}, newest first.`,
    })
    async list(
      @Args(() => ConnectionArgs) args: ConnectionArgs,
      @Arg('filter', () => Filter, { nullable: true, description: 'Which ones to list. Absent: all.' })
      filter: ModelFilter | null,
      @Ctx() context: RequestContext,
      @Info() info: GraphQLResolveInfo,
    ) {
      const { scope, services, policy } = context;
      policy.isOfKind('other');
      const conditions = modelConditions(model, filter);
      return connectionOf(context, args, info, {
        name: list,
        remedy: REMEDY,
        order: NEWEST_FIRST,
        isSearched: isSearched(filter, model.parent?.key),
        page: (request, shown) => services.models.page(scope, model, conditions, request, namesOf(shown)),
        count: () => services.models.count(scope, model, conditions),
      });
    }
  }
  return ModelListResolver;
}

function parentResolver(model: Model, parent: Parent, Filter: ClassType<ModelFilter>): ClassType {
  const { list } = model;

  @Resolver(parent.type)
  class RowsOfParentResolver {
    @BatchMapping()
    @FieldResolver(() => model.connection, {
      name: list,
      complexity: nestedPageCost({
        scannedToFind: ({ filter }) => (isSearched(filter) ? OF_PARENT : undefined),
        scannedToCount: () => OF_PARENT,
        countFields: CONNECTION_COUNT,
      }),
      description: `Its ${list}, newest first.`,
    })
    async rowsOfEach(
      @Root() parents: readonly { readonly id: string }[],
      @Args(() => ConnectionArgs) args: ConnectionArgs,
      @Arg('filter', () => Filter, { nullable: true, description: 'Which ones to list. Absent: all.' })
      filter: ModelFilter | null,
      @Ctx() context: RequestContext,
      @Info() field: SelectedField,
    ): Promise<ConnectionPage<ModelRow>[]> {
      const loaders = context.loaders.models.of(model);
      const conditions = modelConditions(model, filter);
      const ids = parents.map(({ id }) => id);
      return connectionsOf(context, args, field, {
        name: list,
        remedy: REMEDY,
        order: NEWEST_FIRST,
        isSearched: isSearched(filter),
        page: (page, shown) => loaders.pageByParentIds(ids, { conditions, page, wanted: namesOf(shown) }),
        count: () => loaders.countByParentIds(ids, conditions),
      });
    }
  }
  return RowsOfParentResolver;
}

function rowResolver(model: Model, parent: Parent): ClassType {
  @Resolver(() => model.type)
  class ParentOfRowResolver {
    @BatchMapping()
    @FieldResolver(parent.type, { name: parent.field, description: 'What it belongs to.' })
    async parentOfEach(
      @Root() rows: readonly Readonly<Record<string, unknown>>[],
      @Ctx() context: RequestContext,
      @Info() { fields }: SelectedField,
    ): Promise<(object | null)[]> {
      const parentIds = rows.map((row) => String(row[parent.key]));
      return rowsNamedBy(context, parentIds, fields, (ids) => parent.load(context, ids, namesOf(fields)));
    }
  }
  return ParentOfRowResolver;
}

/**
 * Whether rows are read that are not on the page: an index has their order under no condition, and
 * under this one.
 */
function isSearched(filter: ModelFilter | null | undefined, indexed?: string): boolean {
  return namesGiven(filter).some((name) => name !== indexed);
}
