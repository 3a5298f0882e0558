import { pageLoaders } from '../batching/page-loaders.ts';
import { columnsIdentity, ShapedLoader } from '../batching/shaped-loader.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { Model, ModelRow } from './define-model.ts';
import type { ModelRepository } from './model.repository.ts';

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
  const lists = pageLoaders<ModelRow>(
    (parentIds, { conditions, page, wanted }) => models.pageOfEach(scope, model, parentIds, conditions, page, wanted),
    (parentIds, conditions) => models.countOfEach(scope, model, parentIds, conditions),
  );
  return {
    /** Null for those that the tenant does not have. */
    byIds: (ids: readonly string[], wanted: ReadonlySet<string>) => byId.all(ids, columnsIdentity(wanted), wanted),
    /** A page of each parent's rows; one statement for all parents of a level. */
    pageByParentIds: lists.pageOfEach,
    /** How many rows parents have under these conditions. */
    countByParentIds: lists.countOfEach,
  };
}
