import { formatCount, formatDuration } from '../cli/format.ts';
import type { DropAdvice, IndexAdvice, StatementGain } from './advise.ts';
import { catalogEntry } from './catalog.ts';
import { createStatement, dropStatement, prismaAttribute, prismaPlace } from './definition.ts';

/** Everything that is advised. */
export interface Advice {
  readonly create: readonly IndexAdvice[];
  readonly drop: readonly DropAdvice[];
  /** Statements of the workload that were looked at. */
  readonly statements: number;
  /** Where the workload and the plans come from. */
  readonly source: string;
  readonly method: string;
}

/** As SQL with the reasons as comments. */
export function formatAdvice({ create, drop, statements, source, method }: Advice): string {
  const from = `-- ${formatCount(statements)} statements of ${source}; tried with ${method}.`;
  if (!create.length && !drop.length) return `${from}\n-- Nothing to create, nothing to drop.`;
  return [from, ...create.map(createText), ...drop.map(dropText)].join('\n\n');
}

/** For programs. */
export function adviceAsJson({ create, drop, ...rest }: Advice): object {
  return {
    ...rest,
    create: create.map(({ index, ...advice }) => ({
      index: index.name,
      sql: createStatement(index),
      prisma: prismaAttribute(index),
      model: prismaPlace(index),
      inCatalogue: catalogEntry(index.name) !== undefined,
      ...advice,
    })),
    drop: drop.map(({ index, reason }) => ({ index, sql: dropStatement(index), reason })),
  };
}

function createText({ index, gains, gainMsPerDay, writeMsPerDay }: IndexAdvice): string {
  const known = catalogEntry(index.name);
  return [
    `-- Saves about ${formatDuration(gainMsPerDay)} a day, costs writers about ${formatDuration(writeMsPerDay)} a day.`,
    ...gains.map(gainLine),
    ...(known ? ['-- It is in the catalogue: npm run indexes:create makes it.'] : []),
    createStatement(index),
    `-- prisma/schema.prisma, ${prismaPlace(index)}: ${prismaAttribute(index)}`,
  ].join('\n');
}

function gainLine({ name, callsPerDay, tenants }: StatementGain): string {
  const costs = tenants.map(
    ({ slug, costBefore, costAfter }) => `${slug} ${Math.round(costBefore)} -> ${Math.round(costAfter)}`,
  );
  return `--   ${name}, ${formatCount(callsPerDay)} a day: cost ${costs.join(', ')}`;
}

function dropText({ index, reason }: DropAdvice): string {
  return `-- ${reason}\n${dropStatement(index)}`;
}
