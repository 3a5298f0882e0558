import type { DataModel, Model, Relation } from './data-model.ts';

/**
 * The model whose rows are the tenants; every other model of a tenant's has its key in
 * `TENANT_FIELD`.
 */
const TENANT_MODEL = 'Tenant';
const TENANT_MODEL_KEY = 'id';
const TENANT_FIELD = 'tenantId';

/** Models of no tenant, which the scoped client refuses altogether, each with the reason. */
export const MODELS_OF_NO_TENANT: Readonly<Record<string, string>> = {
  CacheOutbox: 'src/cache/change-feed reads the changes of all tenants at once; it holds ids and no business data',
  CacheOutboxHorizon: 'one row of src/cache/change-feed: up to where the outbox was emptied',
  CacheTrust: 'Redis servers that src/cache/change-feed answers for',
  AuditLine:
    'src/audit adds and reads lines by SQL of its own; nothing changes one, and lines of no tenant are among them',
  ServiceProcess: 'what each process of the service counts, of all tenants together: src/deployment',
  ServiceMinute: 'what all processes of the service count by minute, of all tenants together: src/deployment',
  TenantUsage: 'src/usage adds to the rows that every process adds to, by SQL of its own',
};

/** A model whose rows belong to tenants, as far as scoping its operations needs it. */
export interface TenantModel {
  readonly name: string;
  readonly table: string;
  /** The field that says whose a row is. */
  readonly tenantField: string;
  readonly tenantColumn: string;
  readonly columns: ReadonlyMap<string, string>;
  readonly relations: ReadonlyMap<string, Relation>;
}

export type TenantModels = ReadonlyMap<string, TenantModel>;

/**
 * The models of the tenants.
 * @throws Error when a model has no tenant and no reason for that, or a relation could lead from
 *   one tenant to another
 */
export function tenantModels(models: DataModel, ofNoTenant = MODELS_OF_NO_TENANT): TenantModels {
  for (const name of Object.keys(ofNoTenant))
    if (!models.has(name)) throw new Error(`MODELS_OF_NO_TENANT lists ${name}, which is no model: remove it`);
  const owned = new Map<string, TenantModel>();
  for (const model of models.values()) if (!(model.name in ofNoTenant)) owned.set(model.name, tenantModel(model));
  for (const model of owned.values())
    for (const relation of model.relations.values()) checkRelation(owned, model, relation);
  return owned;
}

function tenantModel(model: Model): TenantModel {
  const tenantField = model.name === TENANT_MODEL ? TENANT_MODEL_KEY : TENANT_FIELD;
  const tenantColumn = model.columns.get(tenantField);
  if (!tenantColumn)
    throw new Error(
      `model ${model.name} has no ${tenantField}: add "tenantId String @map("tenant_id") @db.Uuid" as the first column ` +
        'of its key, or list the model with a reason in MODELS_OF_NO_TENANT (src/tenancy/tenant-models.ts)',
    );
  return { ...model, tenantField, tenantColumn };
}

/** Rows on both sides of a relation are of one tenant when both its keys begin with the tenant. */
function checkRelation(models: TenantModels, model: TenantModel, relation: Relation): void {
  const name = `relation ${model.name}.${relation.field}`;
  const target = models.get(relation.target);
  if (!target) throw new Error(`${name} leads to ${relation.target}, which belongs to no tenant: remove the relation`);
  if (relation.key) checkKey(name, relation.key, model, target);
  else if (![...target.relations.values()].some((other) => other.key && isOpposite(other, model, relation)))
    throw new Error(
      `${name} has its key on neither side: write @relation(fields: …, references: …) on one line, and a model of ` +
        'its own with a tenantId in place of an implicit many-to-many relation',
    );
}

function checkKey(name: string, key: NonNullable<Relation['key']>, model: TenantModel, target: TenantModel): void {
  if (key.fields[0] === model.tenantField && key.references[0] === target.tenantField) return;
  throw new Error(
    `${name} could lead to another tenant: expected fields: [${model.tenantField}, …] and references: ` +
      `[${target.tenantField}, …], got [${key.fields.join(', ')}] and [${key.references.join(', ')}]`,
  );
}

function isOpposite(other: Relation, model: TenantModel, relation: Relation): boolean {
  return other.target === model.name && other.name === relation.name;
}
