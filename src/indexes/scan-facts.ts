import { type IndexColumn, indexColumn } from '../database/index-definition.ts';
import type { PlanNode } from '../database/plan.ts';

/** What a statement asks of one table: what an index for it would be made of. */
export interface ScanFacts {
  readonly table: string;
  /** Columns that are compared with one value (or a list). */
  readonly equal: readonly string[];
  /** Columns that are compared with bounds. */
  readonly bounded: readonly string[];
  /** The order that is asked for. */
  readonly order: readonly IndexColumn[];
  /**
   * Conditions with constants, each with the columns that it settles: what a partial index could be
   * of.
   */
  readonly constant: readonly { readonly condition: string; readonly column: string }[];
}

/**
 * Plan settings under which every condition of a table is in its scan's filter and every order is a
 * sort.
 */
export const PLAIN_SCANS = {
  enable_indexscan: 'off',
  enable_indexonlyscan: 'off',
  enable_bitmapscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  max_parallel_workers_per_gather: '0',
} as const;

const AND = ' AND ';

/** Nodes that hand on the rows of what is below in its order. */
const TRANSPARENT = new Set(['Limit', 'Result', 'Subquery Scan', 'LockRows', 'Sort', 'Incremental Sort']);

/** Reads the facts from a plan that was made under `PLAIN_SCANS`. */
export function factsOf(plan: PlanNode): ScanFacts[] {
  return factsBelow(plan, [], false);
}

/**
 * @param isGrouped whether the rows are handed to an aggregate: what it sorts them by could be
 *   hashed as well
 */
function factsBelow(plan: PlanNode, order: readonly IndexColumn[], isGrouped: boolean): ScanFacts[] {
  const table = plan['Relation Name'];
  if (table && plan['Node Type'] === 'Seq Scan') return [scanFacts(table, plan.Filter ?? '', order)];
  const asked = plan['Sort Key'] && !isGrouped ? sortColumns(plan['Sort Key']) : null;
  const below = asked ?? (TRANSPARENT.has(plan['Node Type']) ? order : []);
  return (plan.Plans ?? []).flatMap((child) => factsBelow(child, below, plan['Node Type'] === 'Aggregate'));
}

function scanFacts(table: string, filter: string, order: readonly IndexColumn[]): ScanFacts {
  const conditions = conjuncts(filter).map(withoutAlias);
  const equal = new Set<string>();
  const bounded = new Set<string>();
  const constant: { condition: string; column: string }[] = [];
  for (const condition of conditions) {
    const [, column = '', operator = '', value = ''] = /^("?\w+"?) (=|<>|<=|>=|<|>) (.+)$/.exec(condition) ?? [];
    if (operator === '=') equal.add(column);
    else if (operator && operator !== '<>') bounded.add(column);
    if (/^(?:=|<>)$/.test(operator) && /^'[^']*'::\w+$/.test(value))
      constant.push({ condition: `(${condition})`, column });
    const row = /^ROW\(([\w, ".]+)\) [<>]=? ROW\(/.exec(condition)?.[1];
    for (const name of row?.split(', ') ?? []) bounded.add(withoutAlias(name));
  }
  return { table, equal: [...equal], bounded: [...bounded], order, constant };
}

/** The conditions that a filter joins by AND. */
export function conjuncts(filter: string): string[] {
  const text = withoutParentheses(filter);
  const depths = depthsOf(text);
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (depths[at] !== 0 || !text.startsWith(AND, at)) continue;
    parts.push(text.slice(start, at));
    start = at + AND.length;
  }
  const all = [...parts, text.slice(start)].filter(Boolean);
  return all.length > 1 ? all.flatMap(conjuncts) : all;
}

/** Without parentheses around the whole. */
function withoutParentheses(text: string): string {
  const isEnclosed = text.startsWith('(') && depthsOf(text).indexOf(0, 1) === text.length - 1;
  return isEnclosed ? withoutParentheses(text.slice(1, -1)) : text;
}

/**
 * In how many parentheses and quotes each sign is; a closing one counts as outside, an opening one
 * as inside.
 */
function depthsOf(text: string): number[] {
  let depth = 0;
  let quoted = false;
  return Array.from({ length: text.length }, (_, at) => text[at]).map((sign) => {
    if (sign === "'") quoted = !quoted;
    else if (!quoted && sign === '(') depth++;
    else if (!quoted && sign === ')') depth--;
    return depth + (quoted ? 1 : 0);
  });
}

/** `account.id = $1` as `id = $1`. */
function withoutAlias(text: string): string {
  return text.replace(/^"?\w+"?\.(?="?\w)/, '');
}

/** Empty when a key is no plain column: no index of columns has that order. */
function sortColumns(keys: readonly string[]): IndexColumn[] {
  const columns = keys.map((key) => {
    const [, name, direction] = /^(?:\w+\.)?("?\w+"?)( DESC)?$/.exec(key) ?? [];
    return name ? indexColumn(name, direction !== undefined) : null;
  });
  return columns.every((column) => column !== null) ? (columns as IndexColumn[]) : [];
}
