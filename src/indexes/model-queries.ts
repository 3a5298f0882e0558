import { defineIndex } from '../database/index-definition.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { Model } from '../models/define-model.ts';
import { ModelRepository } from '../models/model.repository.ts';
import { REGISTERED_MODELS } from '../registered-models.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { type QueryCase, samplePages } from './query-case.ts';
import type { TenantSample } from './samples.ts';

const MODELS: readonly Model[] = Object.values(REGISTERED_MODELS);

/** The indexes that a registered model has, whatever its columns are. */
export function modelIndexes(models = MODELS): CatalogEntry[] {
  return models.flatMap(({ model, list, table, parentColumn }): CatalogEntry[] => {
    const { key, created, ofParent } = namesOf(table, parentColumn);
    return [
      {
        definition: defineIndex(table, key, 'tenant_id, id', { primary: true }),
        purpose: `Of ${list}, those with some ids.`,
        queries: [`${model}.byIds`],
        keeps: 'the primary key',
      },
      {
        definition: defineIndex(table, created, 'tenant_id, created_at, id'),
        purpose: `A tenant's newest ${list}, their pages and their number; read backwards.`,
        queries: [`${model}.page`, `${model}.count`],
      },
      ...(parentColumn
        ? [
            {
              definition: defineIndex(table, ofParent, `tenant_id, ${parentColumn}, created_at, id`),
              purpose: `The newest ${list} of what they belong to, their pages and their number; read backwards.`,
              queries: [`${model}.page`, `${model}.count`, `${model}.pageOfEach`, `${model}.countOfEach`],
              keeps: 'the foreign key: deleting what they belong to looks for them',
            },
          ]
        : []),
    ];
  });
}

/** What is asked of a registered model, with the index that is meant for it. */
export function modelQueries(sample: TenantSample, models = MODELS): QueryCase[] {
  return models.flatMap((model) => casesOf(model, sample));
}

function casesOf(model: Model, { accountIds, booked }: TenantSample): QueryCase[] {
  const { list, table, parentColumn } = model;
  const { key, created, ofParent } = namesOf(table, parentColumn);
  const all = new Set(Object.keys(model.selects));
  const pages = samplePages(booked);
  const cases = [
    ...pages.map(({ name, page }) => ({
      name: `${list}, ${name}`,
      uses: [created],
      call: reading((models, scope) => models.page(scope, model, [], page, all)),
    })),
    {
      name: `number of ${list}`,
      uses: [],
      readsAll: true,
      call: reading((models, scope) => models.count(scope, model, [])),
    },
    {
      name: `${list} by their ids`,
      uses: [key],
      call: reading((models, scope) => models.byIds(scope, model, accountIds, all)),
    },
  ];
  if (!parentColumn) return cases;
  // Whose ids these are does not matter to a plan.
  const ofOne = [Prisma.sql`${Prisma.raw(parentColumn)} = ${accountIds[0]}::uuid`];
  return [
    ...cases,
    ...pages.flatMap(({ name, page }) => [
      {
        name: `${list} of one, ${name}`,
        uses: [ofParent],
        call: reading((models, scope) => models.page(scope, model, ofOne, page, all)),
      },
      {
        name: `${list} of each, ${name}`,
        uses: [ofParent],
        call: reading((models, scope) => models.pageOfEach(scope, model, accountIds, [], page, all)),
      },
    ]),
    {
      name: `number of ${list} of each`,
      uses: [ofParent],
      call: reading((models, scope) => models.countOfEach(scope, model, accountIds, [])),
    },
  ];
}

type Read = (models: ModelRepository, scope: Parameters<QueryCase['call']>[1]) => Promise<unknown>;

function reading(read: Read): QueryCase['call'] {
  return ({ database }, scope) => read(new ModelRepository(database), scope);
}

function namesOf(table: string, parentColumn: string | undefined) {
  const parent = parentColumn?.replace(/_id$/, '');
  return {
    key: `${table}_pkey`,
    created: `${table}_tenant_created_idx`,
    ofParent: `${table}_tenant_${parent}_created_idx`,
  };
}
