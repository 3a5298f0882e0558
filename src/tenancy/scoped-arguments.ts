import { type Fields, isFields, TenantScopeError } from './scope-error.ts';
import { ScopedData } from './scoped-data.ts';
import { checkCursor, scopedWhere } from './scoped-where.ts';
import type { TenantModel, TenantModels } from './tenant-models.ts';

const FILTERED = ['where'];
/**
 * The arguments of each operation that must be scoped. An operation that is not here is refused.
 */
const SCOPED_BY_OPERATION: Readonly<Record<string, readonly string[]>> = {
  findFirst: FILTERED,
  findFirstOrThrow: FILTERED,
  findMany: FILTERED,
  count: FILTERED,
  aggregate: FILTERED,
  groupBy: FILTERED,
  create: ['data'],
  createMany: ['data'],
  createManyAndReturn: ['data'],
  update: ['where', 'data'],
  updateMany: ['where', 'data'],
  updateManyAndReturn: ['where', 'data'],
  upsert: ['where', 'create', 'update'],
  delete: FILTERED,
  deleteMany: FILTERED,
};

/** Arguments that name no rows: they choose, order and cut what the filter lets through. */
const HARMLESS = new Set(
  [
    'omit',
    'orderBy',
    'take',
    'skip',
    'distinct',
    'by',
    'having',
    'limit',
    'skipDuplicates',
    'relationLoadStrategy',
  ].concat(['_count', '_sum', '_avg', '_min', '_max']),
);

/**
 * The arguments of an operation with the tenant in them, to any depth.
 * @throws TenantScopeError for rows of another tenant, and for whatever is not known to be
 *   tenant-safe
 */
export function scopedArguments(
  models: TenantModels,
  model: TenantModel,
  operation: string,
  given: unknown,
  tenantId: string,
): Fields {
  const scoped = SCOPED_BY_OPERATION[operation];
  if (!scoped) throw new TenantScopeError(`${model.name}.${operation} is not known to be tenant-safe`);
  const args = isFields(given) ? given : {};
  const unknown = Object.keys(args).find((name) => !scoped.includes(name) && !HARMLESS.has(name) && !isRead(name));
  if (unknown) throw new TenantScopeError(`${unknown} of ${model.name}.${operation} is not known to be tenant-safe`);
  checkReads(models, model, args, tenantId);
  const data = new ScopedData(models, tenantId);
  const parts = scoped.map((name) => [name, scopedPart(data, model, operation, name, args[name], tenantId)] as const);
  return { ...args, ...Object.fromEntries(parts) };
}

function scopedPart(
  data: ScopedData,
  model: TenantModel,
  operation: string,
  name: string,
  value: unknown,
  tenantId: string,
): unknown {
  if (name === 'where') return scopedWhere(model, value, tenantId);
  if (name === 'update' || operation.startsWith('update')) return data.updated(model, value);
  return Array.isArray(value) ? value.map((row) => data.created(model, row)) : data.created(model, value);
}

function isRead(name: string): boolean {
  return name === 'select' || name === 'include' || name === 'cursor';
}

/**
 * Related rows are of the same tenant, since every relation's key begins with it; cursors are not
 * held by that.
 */
function checkReads(models: TenantModels, model: TenantModel, args: Fields, tenantId: string): void {
  checkCursor(model, args.cursor, tenantId);
  for (const chosen of [args.select, args.include]) {
    if (!isFields(chosen)) continue;
    for (const [field, nested] of Object.entries(chosen)) {
      const target = models.get(model.relations.get(field)?.target ?? '');
      if (target && isFields(nested)) checkReads(models, target, nested, tenantId);
    }
  }
}
