import { badUserInput } from '../errors.ts';
import { Prisma } from '../generated/prisma/client.ts';

const { sql, join } = Prisma;

/** How deep filters may be nested by `not`, `and` and `or`. */
export const MAX_FILTER_DEPTH = 3;
/** Of a filter and those nested in it; each nested filter counts as one more. */
export const MAX_FILTER_CONDITIONS = 30;
/** Of a list such as `statusIn`. */
export const MAX_FILTER_VALUES = 100;

/** A filter that holds filters of its own kind. */
export interface NestedFilter<Filter> {
  readonly not?: Filter | null;
  readonly and?: Filter[] | null;
  readonly or?: Filter[] | null;
}

type AnyFilter = NestedFilter<AnyFilter>;

/** What descriptions say of filters that hold filters. */
export const NESTING = `Nested ${MAX_FILTER_DEPTH} levels deep at most, with ${MAX_FILTER_CONDITIONS} conditions in all.`;

/** What descriptions say of lists of values. */
export const VALUES = `Up to ${MAX_FILTER_VALUES} values; an empty list matches nothing. Absent: all.`;

/** What descriptions say of the beginnings of texts. */
export const STARTS = 'Letters count as they are, % and _ as themselves. Absent: all.';

/**
 * The conditions of a filter, joined by AND. A row satisfies `not` exactly when it does not satisfy
 * the filter in it, also where a column is null: nobody sees the third truth value of SQL.
 * @param own the conditions that a filter has itself; `path` names it in errors
 * @throws BAD_USER_INPUT for filters nested too deep or with too many conditions
 */
export function filterConditions<Filter extends NestedFilter<Filter>>(
  filter: Filter | null | undefined,
  own: (filter: Filter, path: string) => Prisma.Sql[],
): Prisma.Sql[] {
  if (!filter) return [];
  if (filter.not || filter.and || filter.or) checkExtent(filter as AnyFilter);
  return conditionsAt(filter, own, 'filter');
}

function conditionsAt<Filter extends NestedFilter<Filter>>(
  filter: Filter,
  own: (filter: Filter, path: string) => Prisma.Sql[],
  path: string,
): Prisma.Sql[] {
  const { not, and, or } = filter;
  const conditions = own(filter, path);
  if (not) conditions.push(sql`(${allOf(conditionsAt(not, own, `${path}.not`))}) IS NOT TRUE`);
  and?.forEach((part, index) => {
    conditions.push(...conditionsAt(part, own, `${path}.and[${index}]`));
  });
  if (or) {
    const parts = or.map((part, index) => sql`(${allOf(conditionsAt(part, own, `${path}.or[${index}]`))})`);
    conditions.push(parts.length > 0 ? sql`(${join(parts, ' OR ')})` : sql`false`);
  }
  return conditions;
}

function allOf(conditions: Prisma.Sql[]): Prisma.Sql {
  return conditions.length > 0 ? join(conditions, ' AND ') : sql`true`;
}

interface Place {
  readonly filter: AnyFilter;
  readonly path: string;
  readonly depth: number;
}

function checkExtent(filter: AnyFilter): void {
  const open: Place[] = [{ filter, path: 'filter', depth: 0 }];
  let [conditions, deepest] = [-1, 0];
  let tooDeep: string | undefined;
  for (let place = open.pop(); place; place = open.pop()) {
    conditions += 1 + Object.entries(place.filter).filter(([name, value]) => value != null && !isNesting(name)).length;
    deepest = Math.max(deepest, place.depth);
    if (place.depth > MAX_FILTER_DEPTH) tooDeep ??= place.path;
    open.push(...partsOf(place));
  }
  if (tooDeep !== undefined)
    throw badUserInput(tooDeep, `within ${MAX_FILTER_DEPTH} levels of not, and and or`, `${deepest} levels`);
  if (conditions > MAX_FILTER_CONDITIONS)
    throw badUserInput(
      'filter',
      `of at most ${MAX_FILTER_CONDITIONS} conditions, each nested filter counted as one more`,
      conditions,
    );
}

function partsOf({ filter: { not, and, or }, path, depth }: Place): Place[] {
  const below = depth + 1;
  return [
    ...(not ? [{ filter: not, path: `${path}.not`, depth: below }] : []),
    ...(and ?? []).map((filter, index) => ({ filter, path: `${path}.and[${index}]`, depth: below })),
    ...(or ?? []).map((filter, index) => ({ filter, path: `${path}.or[${index}]`, depth: below })),
  ];
}

function isNesting(name: string): boolean {
  return name === 'not' || name === 'and' || name === 'or';
}

/**
 * The names of the conditions that every row satisfies: those of `and` among them. `not` and `or`
 * stand for themselves, since no index has what is in them. A name comes as often as it is given.
 */
export function joinedNames(filter: object | null | undefined): string[] {
  return Object.entries(filter ?? {}).flatMap(([name, value]) => {
    if (value == null) return [];
    return name === 'and' ? (value as object[]).flatMap(joinedNames) : [name];
  });
}

/** Whether all conditions have such names, wherever they are nested. */
export function hasOnly(filter: object | null | undefined, names: ReadonlySet<string>): boolean {
  return Object.entries(filter ?? {}).every(([name, value]) => {
    if (value == null) return true;
    if (!isNesting(name)) return names.has(name);
    return [value].flat().every((part: object) => hasOnly(part, names));
  });
}

/**
 * The values of a list such as `statusIn`.
 * @throws BAD_USER_INPUT for more than `MAX_FILTER_VALUES`
 */
export function checkedValues<Value extends string>(
  argument: string,
  values: readonly Value[],
  check: (argument: string, value: Value) => string = (_argument, value) => value,
): string[] {
  if (values.length > MAX_FILTER_VALUES)
    throw badUserInput(argument, `at most ${MAX_FILTER_VALUES} values`, values.length);
  return values.map((value, index) => check(`${argument}[${index}]`, value));
}
