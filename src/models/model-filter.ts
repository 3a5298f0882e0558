import { type ClassType, Field, InputType } from 'type-graphql';
import type { Prisma } from '../generated/prisma/client.ts';
import type { ColumnFilter } from './columns.ts';
import type { Model } from './define-model.ts';

/** The values of a filter. */
export type ModelFilter = Readonly<Record<string, unknown>>;

/** The input type of a model's filter: fields for each of its columns. */
export function filterType(model: Model): ClassType<ModelFilter> {
  class Filter {
    readonly [name: string]: unknown;
  }
  for (const { name, type, which } of filterFields(model)) {
    const description = `Only those ${which}. Absent: all.`;
    Field(type as Parameters<typeof Field>[0], { nullable: true, description })(Filter.prototype, name);
  }
  const description = `Of ${model.list}, those that satisfy all given conditions. Bounds include their ends.`;
  InputType(`${model.model}Filter`, { description })(Filter);
  return Filter;
}

/**
 * The conditions of a filter, joined by AND; the tenant's own condition is not among them.
 * @throws BAD_USER_INPUT naming the field that does not hold
 */
export function modelConditions(model: Model, filter: ModelFilter | null | undefined): Prisma.Sql[] {
  return filterFields(model).flatMap(({ name, condition }) => {
    const value = filter?.[name];
    return value == null ? [] : [condition(`filter.${name}`, value as never)];
  });
}

/** The names of a filter's fields that have a value. */
export function namesGiven(filter: ModelFilter | null | undefined): string[] {
  return Object.entries(filter ?? {}).flatMap(([name, value]) => (value == null ? [] : [name]));
}

function filterFields({ columns }: Model): (Omit<ColumnFilter, 'name'> & { readonly name: string })[] {
  return Object.entries(columns).flatMap(([property, { filters }]) =>
    filters.map((filter) => ({
      ...filter,
      name: filter.name(property),
      which: `whose ${property} is ${filter.which}`,
    })),
  );
}
