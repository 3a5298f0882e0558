import { formatCount, formatDuration } from '../cli/format.ts';
import { counted } from '../counted.ts';
import { createStatement, dropStatement, prismaAttribute, prismaPlace } from '../database/index-definition.ts';
import type { DropAdvice, IndexAdvice, StatementGain, UnplannedStatement } from './advise.ts';
import { catalogEntry } from './catalog.ts';

/** Everything that is advised. */
export interface Advice {
  readonly create: readonly IndexAdvice[];
  readonly drop: readonly DropAdvice[];
  /** Statements of the workload, those without a plan included. */
  readonly statements: number;
  /** Those that no advice can be given on. */
  readonly unplanned: readonly UnplannedStatement[];
  /** What else the workload lacks, as sentences. */
  readonly gaps: readonly string[];
  /** Where the workload and the plans come from. */
  readonly source: string;
  readonly method: string;
}

/** As SQL with the reasons as comments. */
export function formatAdvice({ create, drop, unplanned, gaps, statements, source, method }: Advice): string {
  const head = [
    `-- ${counted(statements, 'statement')} of ${source}; tried with ${method}.`,
    ...gaps.map((gap) => `-- ${gap}`),
    ...(unplanned.length ? [`-- ${formatCount(unplanned.length)} of them cannot be planned; no advice on these:`] : []),
    ...unplanned.map(unplannedLine),
    ...(create.length || drop.length ? [] : ['-- Nothing to create, nothing to drop.']),
  ].join('\n');
  return [head, ...create.map(createText), ...drop.map(dropText)].join('\n\n');
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

function unplannedLine({ name, callsPerDay, reason }: UnplannedStatement): string {
  return `--   ${name}, ${formatCount(callsPerDay)} a day: ${reason.replace(/\s+/g, ' ')}`;
}

function dropText({ index, reason }: DropAdvice): string {
  const known = catalogEntry(index);
  return [
    `-- ${reason}`,
    ...(known ? ['-- Take it out of the catalogue and of prisma/schema.prisma too, or it is made again.'] : []),
    dropStatement(index),
  ].join('\n');
}
