import pg from 'pg';
import {
  createStatement,
  dropStatement,
  type IndexDefinition,
  isSameKey,
  keyText,
  reindexStatement,
} from '../database/index-definition.ts';
import type { DatabaseIndex } from '../database/read-indexes.ts';
import { INDEX_CATALOG } from './catalog.ts';

/** One statement that brings the database closer to the catalogue. */
export interface CreateStep {
  readonly index: string;
  readonly reason: string;
  readonly statements: readonly string[];
}

export interface CreatePlan {
  readonly steps: readonly CreateStep[];
  /** What a person must look at: nothing is done about it. */
  readonly conflicts: readonly string[];
}

/**
 * What is to be done for the catalogue's indexes of these tables. An index that is wanted under one
 * name and there under another, or the other way round, is for a person to decide.
 */
export function planCreation(tables: readonly string[], found: readonly DatabaseIndex[]): CreatePlan {
  const wanted = INDEX_CATALOG.map(({ definition }) => definition).filter(({ table }) => tables.includes(table));
  const steps: CreateStep[] = [];
  const conflicts: string[] = [];
  for (const index of wanted) {
    const present = found.find(({ definition }) => definition.name === index.name);
    if (!present) steps.push(...missing(index, found, conflicts));
    else if (!present.valid) steps.push(rebuilt(index));
    else if (!isSameKey(present.definition, index)) conflicts.push(differs(index, present));
  }
  return { steps: [...leftovers(found), ...steps], conflicts };
}

function missing(index: IndexDefinition, found: readonly DatabaseIndex[], conflicts: string[]): CreateStep[] {
  const twin = found.find(({ definition, valid }) => valid && isSameKey(definition, index));
  if (twin) {
    conflicts.push(
      `${index.name} is there under the name ${twin.definition.name}. Rename it: ` +
        `ALTER INDEX ${pg.escapeIdentifier(twin.definition.name)} RENAME TO "${index.name}";`,
    );
    return [];
  }
  return [{ index: index.name, reason: 'missing', statements: creation(index) }];
}

function rebuilt(index: IndexDefinition): CreateStep {
  const statements = index.primary ? [reindexStatement(index.name)] : [dropStatement(index.name), ...creation(index)];
  return { index: index.name, reason: 'INVALID: an earlier creation was broken off', statements };
}

/** A primary key is a constraint over its index. */
function creation(index: IndexDefinition): string[] {
  if (!index.primary) return [createStatement(index)];
  const { name, table } = index;
  return [createStatement(index), `ALTER TABLE "${table}" ADD CONSTRAINT "${name}" PRIMARY KEY USING INDEX "${name}";`];
}

/**
 * Whether an invalid index of this name is what REINDEX CONCURRENTLY leaves behind when it is
 * broken off.
 */
export function isLeftover(name: string): boolean {
  return /_ccnew\d*$|_ccold\d*$/.test(name);
}

function leftovers(found: readonly DatabaseIndex[]): CreateStep[] {
  return found
    .filter(({ definition, valid }) => !valid && isLeftover(definition.name))
    .map(({ definition: { name } }) => ({
      index: name,
      reason: 'INVALID: left behind by a broken-off REINDEX',
      statements: [dropStatement(name)],
    }));
}

function differs(index: IndexDefinition, { definition, neededBy }: DatabaseIndex): string {
  const remedy = neededBy
    ? `It is needed by ${neededBy}: take that away first, then the index, and run this again`
    : `Drop it, and run this again: ${dropStatement(index.name)}`;
  const kind = ({ unique }: IndexDefinition) =>
    unique === definition.unique && unique === index.unique ? '' : unique ? 'unique ' : 'not unique ';
  return `${index.name} is ${kind(definition)}on ${keyText(definition)}, expected ${kind(index)}${keyText(index)}. ${remedy}`;
}
