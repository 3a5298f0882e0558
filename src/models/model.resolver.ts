import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, type ClassType, Ctx, FieldResolver, Info, Query, Resolver, Root } from 'type-graphql';
import { BatchMapping, withRelations, withRelationsInLists } from '../batching/batch-mapping.ts';
import { RequestContext } from '../context/request-context.ts';
import { nestedPageCost, pageCost } from '../graphql/complexity.ts';
import {
  CONNECTION_COUNT,
  ConnectionArgs,
  connection,
  countIfSelected,
  nodeFields,
  pageRequest,
  searchIn,
} from '../graphql/pagination.ts';
import type { ConnectionPage } from '../graphql/pagination.type.ts';
import { namesOf, type SelectedField, selectedFields } from '../graphql/selection.ts';
import type { Page } from '../paging/keyset.ts';
import { type Model, type ModelRow, NEWEST_FIRST, type Parent } from './define-model.ts';
import { filterType, type ModelFilter, modelConditions, namesGiven } from './model-filter.ts';

const EMPTY_PAGE: Page<ModelRow> = { rows: [], hasNextPage: false, hasPreviousPage: false };
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
      const fields = selectedFields(info);
      const conditions = modelConditions(model, filter);
      const request = pageRequest(args, NEWEST_FIRST, fields, isSearched(filter, model.parent?.key));
      const shown = nodeFields(fields);
      const [page, count] = await Promise.all([
        searchIn(list, REMEDY, () => services.models.page(scope, model, conditions, request, namesOf(shown))),
        countIfSelected(fields, CONNECTION_COUNT, () => services.models.count(scope, model, conditions)),
      ]);
      const rows = await withRelations(context, page.rows, shown);
      return connection({ ...page, rows }, NEWEST_FIRST, count, fields);
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
      @Info() { fields }: SelectedField,
    ): Promise<ConnectionPage<ModelRow>[]> {
      const loaders = context.loaders.models.of(model);
      const conditions = modelConditions(model, filter);
      const page = pageRequest(args, NEWEST_FIRST, fields, isSearched(filter));
      const ids = parents.map(({ id }) => id);
      const shown = nodeFields(fields);
      const [pages, counts] = await Promise.all([
        searchIn(list, REMEDY, () => loaders.pageByParentIds(ids, { conditions, page, wanted: namesOf(shown) })),
        countIfSelected(fields, CONNECTION_COUNT, () => loaders.countByParentIds(ids, conditions)),
      ]);
      const found = pages.map((page) => page ?? EMPTY_PAGE);
      const lists = found.map(({ rows }) => rows);
      const rows = await withRelationsInLists(context, lists, shown);
      return found.map((page, index) =>
        connection(
          { ...page, rows: rows[index] as typeof page.rows },
          NEWEST_FIRST,
          counts?.[index] ?? undefined,
          fields,
        ),
      );
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
      const ids = rows.map((row) => String(row[parent.key]));
      const loaded = await parent.load(context, [...new Set(ids)], namesOf(fields));
      const found = loaded.filter((row) => row !== null);
      const whole = await withRelations(context, found, fields);
      const byId = new Map(whole.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
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
