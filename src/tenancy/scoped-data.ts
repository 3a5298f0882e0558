import type { Relation } from './data-model.ts';
import { type Fields, isFields, listOf, TenantScopeError } from './scope-error.ts';
import { scopedWhere } from './scoped-where.ts';
import type { TenantModel, TenantModels } from './tenant-models.ts';

type Scoped = (value: unknown) => unknown;

/** Puts one tenant into what is to be written, and into everything nested within it. */
export class ScopedData {
  constructor(
    private readonly models: TenantModels,
    private readonly tenantId: string,
  ) {}

  /**
   * A row to create. Its tenant is written here, unless it comes with the key of a row that it
   * belongs to.
   * @param hasParent whether it is created within that row
   */
  created(model: TenantModel, row: unknown, hasParent = false): Fields {
    if (!isFields(row)) throw new TenantScopeError(`a new row of ${model.name} is no object`);
    const scoped = this.#fields(model, row);
    const refers = [...model.relations.values()].some(({ key, field }) => key && row[field] !== undefined);
    return hasParent || refers ? scoped : { ...scoped, [model.tenantField]: this.tenantId };
  }

  /** Changes of a row; the tenant is not one of them. */
  updated(model: TenantModel, changes: unknown): Fields {
    if (!isFields(changes)) throw new TenantScopeError(`the changes of ${model.name} are no object`);
    return this.#fields(model, changes);
  }

  /**
   * Without the tenant's own field: Prisma does not take it beside the relation that it comes with.
   */
  #fields(model: TenantModel, row: Fields): Fields {
    const scoped: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(row)) {
      const relation = model.relations.get(name);
      if (name === model.tenantField) this.#checkTenant(model, value);
      else scoped[name] = relation && value !== undefined ? this.#nested(relation, value) : value;
    }
    return scoped;
  }

  #checkTenant(model: TenantModel, value: unknown): void {
    const given = isFields(value) ? value.set : value;
    if (given !== undefined && given !== this.tenantId)
      throw new TenantScopeError(`a row of ${model.name} was to be written for another tenant than the scope's`);
  }

  #nested(relation: Relation, writes: unknown): Fields {
    const target = this.models.get(relation.target);
    if (!target || !isFields(writes)) throw new TenantScopeError(`nested write ${relation.field} is no object`);
    const scoped: Record<string, unknown> = {};
    for (const [operation, value] of Object.entries(writes)) {
      if (value === undefined) continue;
      const one = (item: unknown) => this.#nestedOne(target, relation, operation, item);
      scoped[operation] = Array.isArray(value) ? value.map(one) : one(value);
    }
    return scoped;
  }

  /** One value of a nested operation; many operations take several. */
  #nestedOne(target: TenantModel, relation: Relation, operation: string, value: unknown): unknown {
    const where = (filter: unknown) => scopedWhere(target, filter, this.tenantId);
    const create = (row: unknown) => this.created(target, row, !relation.key);
    const update = (changes: unknown) => this.updated(target, changes);
    switch (operation) {
      case 'create':
        return create(value);
      case 'createMany':
        return scopedParts(target, value, { data: (rows) => listOf(rows).map(create), skipDuplicates: asIs });
      case 'connect':
      case 'set':
      case 'deleteMany':
        return where(value);
      case 'disconnect':
      case 'delete':
        return typeof value === 'boolean' ? value : where(value);
      case 'connectOrCreate':
        return scopedParts(target, value, { where, create });
      case 'upsert':
        return scopedParts(target, value, { where, create, update });
      case 'updateMany':
        return scopedParts(target, value, { where, data: update, limit: asIs });
      case 'update':
        return relation.isList || hasParts(value) ? scopedParts(target, value, { where, data: update }) : update(value);
      default:
        throw new TenantScopeError(`nested ${relation.field}.${operation} is not known to be tenant-safe`);
    }
  }
}

const asIs: Scoped = (value) => value;

/**
 * Whether the changes of a single related row come with a filter; else they are the value itself.
 */
function hasParts(value: unknown): boolean {
  return (
    isFields(value) && isFields(value.data) && Object.keys(value).every((name) => name === 'where' || name === 'data')
  );
}

function scopedParts(target: TenantModel, value: unknown, scope: Readonly<Record<string, Scoped>>): Fields {
  if (!isFields(value)) throw new TenantScopeError(`a nested write of ${target.name} is no object`);
  const unknown = Object.keys(value).find((name) => !scope[name]);
  if (unknown)
    throw new TenantScopeError(`${unknown} of a nested write of ${target.name} is not known to be tenant-safe`);
  const parts = Object.entries(scope).filter(([name]) => name in value || name === 'where');
  return Object.fromEntries(parts.map(([name, way]) => [name, way(value[name])]));
}
