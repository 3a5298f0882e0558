/** A node of EXPLAIN (FORMAT JSON), as far as it is looked at. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Alias?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'One-Time Filter'?: string;
  readonly 'Recheck Cond'?: string;
  readonly 'Hash Cond'?: string;
  readonly 'Merge Cond'?: string;
  readonly 'Join Filter'?: string;
  readonly Filter?: string;
  readonly 'Sort Key'?: readonly string[];
  readonly 'Startup Cost': number;
  readonly 'Total Cost': number;
  readonly 'Plan Rows': number;
  readonly Plans?: readonly PlanNode[];
}

/** All nodes of a plan, the upper ones first. */
export function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

/** The indexes that a plan uses, each once. */
export function indexesOf(plan: PlanNode): string[] {
  const names = nodesOf(plan).flatMap((node) => node['Index Name'] ?? []);
  return [...new Set(names)];
}

/** The tables that a plan reads from their first row to the last, each once. */
export function sequentialTables(plan: PlanNode): string[] {
  const scans = nodesOf(plan).filter((node) => node['Node Type'] === 'Seq Scan');
  return [...new Set(scans.flatMap((node) => node['Relation Name'] ?? []))];
}

/** Of these a plan's lines tell the conditions, by what they call them. */
const CONDITIONS = [
  ['Index Cond', 'searched by'],
  ['Recheck Cond', 'checked again'],
  ['Hash Cond', 'joined by'],
  ['Merge Cond', 'joined by'],
  ['Join Filter', 'join filter'],
  ['Filter', 'filter'],
  ['One-Time Filter', 'only if'],
] as const;

/**
 * A plan as a few lines: what is done to which table by which index.
 * @param shown how a condition is shown, which holds the values that it compares with; as it is
 *   when absent
 */
export function planLines(plan: PlanNode, shown = (condition: string) => condition, depth = 0): string[] {
  const on = plan['Relation Name'] ? ` on ${plan['Relation Name']}` : '';
  const by = plan['Index Name'] ? ` by ${plan['Index Name']}` : '';
  const indent = '  '.repeat(depth);
  const conditions = CONDITIONS.flatMap(([key, called]) => {
    const condition = plan[key];
    return condition === undefined ? [] : [`${indent}    ${called} ${shown(condition)}`];
  });
  return [
    `${indent}${plan['Node Type']}${on}${by} (cost ${plan['Total Cost']}, rows ${plan['Plan Rows']})`,
    ...conditions,
    ...(plan['Sort Key'] ? [`${indent}    by ${plan['Sort Key'].map(shown).join(', ')}`] : []),
    ...(plan.Plans ?? []).flatMap((child) => planLines(child, shown, depth + 1)),
  ];
}
