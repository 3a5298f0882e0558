/** A node of EXPLAIN (FORMAT JSON), as far as it is looked at. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Alias?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
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

/** A plan as a few lines: what is done to which table by which index. */
export function planLines(plan: PlanNode, depth = 0): string[] {
  const on = plan['Relation Name'] ? ` on ${plan['Relation Name']}` : '';
  const by = plan['Index Name'] ? ` by ${plan['Index Name']}` : '';
  const details = [plan['Index Cond'] && `searched by ${plan['Index Cond']}`, plan.Filter && `filter ${plan.Filter}`];
  const indent = '  '.repeat(depth);
  return [
    `${indent}${plan['Node Type']}${on}${by} (cost ${plan['Total Cost']}, rows ${plan['Plan Rows']})`,
    ...details.filter(Boolean).map((line) => `${indent}    ${line}`),
    ...(plan.Plans ?? []).flatMap((child) => planLines(child, depth + 1)),
  ];
}
