import { columnsIdentity, ShapedLoader } from '../batching/shaped-loader.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { Count } from '../paging/bounded-count.ts';
import type { Page, PageRequest } from '../paging/keyset.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { Model, ModelRow } from './define-model.ts';
import type { ModelRepository } from './model.repository.ts';

/** A page of the same shape for each parent of a list. */
interface PageOfParent {
  readonly conditions: readonly Prisma.Sql[];
  readonly page: PageRequest;
  readonly wanted: ReadonlySet<string>;
}

/** The loaders of one request, made for each model that it asks for. */
export function createModelLoaders(scope: TenantScope, models: ModelRepository) {
  const made = new Map<Model, ReturnType<typeof loadersOf>>();
  return {
    of(model: Model) {
      const loaders = made.get(model) ?? loadersOf(scope, models, model);
      made.set(model, loaders);
      return loaders;
    },
  };
}

function loadersOf(scope: TenantScope, models: ModelRepository, model: Model) {
  const byId = new ShapedLoader<ReadonlySet<string>, ModelRow>(
    async (ids, wanted) => new Map((await models.byIds(scope, model, ids, wanted)).map((row) => [row.id, row])),
  );
  const pages = new ShapedLoader<PageOfParent, Page<ModelRow>>((parentIds, { conditions, page, wanted }) =>
    models.pageOfEach(scope, model, parentIds, conditions, page, wanted),
  );
  const counts = new ShapedLoader<readonly Prisma.Sql[], Count>((parentIds, conditions) =>
    models.countOfEach(scope, model, parentIds, conditions),
  );
  return {
    /** Null for those that the tenant does not have. */
    byIds: (ids: readonly string[], wanted: ReadonlySet<string>) => byId.all(ids, columnsIdentity(wanted), wanted),
    /** A page of each parent's rows; one statement for all parents of a level. */
    pageByParentIds: (parentIds: readonly string[], asked: PageOfParent) =>
      pages.all(parentIds, pageIdentity(asked), asked),
    /** How many rows parents have under these conditions. */
    countByParentIds: (parentIds: readonly string[], conditions: readonly Prisma.Sql[]) =>
      counts.all(parentIds, identityOf(conditions), conditions),
  };
}

function pageIdentity({ conditions, page, wanted }: PageOfParent): string {
  return `${identityOf(conditions)} ${JSON.stringify(page)} ${columnsIdentity(wanted)}`;
}

function identityOf(conditions: readonly Prisma.Sql[]): string {
  return JSON.stringify(conditions.map(({ sql, values }) => [sql, values]));
}
