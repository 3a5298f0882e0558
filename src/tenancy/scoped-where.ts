import { type Fields, isFields, listOf, TenantScopeError } from './scope-error.ts';
import type { TenantModel } from './tenant-models.ts';

const COMBINATIONS = new Set(['AND', 'OR', 'NOT']);

/**
 * A filter with the tenant in it. One whose unique key already names the tenant stays as it is:
 * with anything added, an upsert would no longer be one statement, and two at once for a new row
 * would fail.
 */
export function scopedWhere(model: TenantModel, where: unknown, tenantId: string): Fields {
  if (where === undefined || where === null) return { [model.tenantField]: tenantId };
  if (!isFields(where)) throw new TenantScopeError(`the filter of ${model.name} is no object`);
  const named = where[model.tenantField] === tenantId;
  if (named || keysOf(model, where).some((key) => key[model.tenantField] === tenantId)) return where;
  return { ...where, AND: [...listOf(where.AND ?? []), { [model.tenantField]: tenantId }] };
}

/**
 * A cursor's row is read by its key alone, whosever it is, and what it holds would show in where
 * the page begins.
 */
export function checkCursor(model: TenantModel, cursor: unknown, tenantId: string): void {
  if (cursor === undefined) return;
  const keys = isFields(cursor) ? keysOf(model, cursor) : [];
  const named = isFields(cursor) && cursor[model.tenantField] === tenantId;
  if ((named || keys.length > 0) && keys.every((key) => key[model.tenantField] === tenantId)) return;
  throw new TenantScopeError(`a cursor of ${model.name} must be a key that begins with the scope's tenant`);
}

/**
 * The filter of a unique key as one that findFirst takes: keys of several columns are spelled out.
 */
export function spelledOut(model: TenantModel, where: Fields): Fields {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(where)) {
    if (isKey(model, name, value)) Object.assign(fields, value);
    else fields[name] = value;
  }
  const missing = Object.keys(fields).find((name) => fields[name] === undefined);
  // findFirst takes undefined for "any": the caller would be given a row that it did not ask for.
  if (missing || !Object.keys(fields).some((name) => model.columns.has(name)))
    throw new TenantScopeError(
      `${model.name} is to be found by a unique key, but ${missing ?? 'all of it'} is missing`,
    );
  return fields;
}

function keysOf(model: TenantModel, where: Fields): Fields[] {
  return Object.entries(where).flatMap(([name, value]) => (isKey(model, name, value) ? [value] : []));
}

/**
 * Whether this is a unique key of several columns, which Prisma gives a name of its own, as
 * `tenantId_id`.
 */
function isKey({ columns, relations }: TenantModel, name: string, value: unknown): value is Fields {
  return isFields(value) && !columns.has(name) && !relations.has(name) && !COMBINATIONS.has(name);
}
