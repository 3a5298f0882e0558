import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';
import { findProjectRoot } from '../embedded/project-root.mjs';
import { OperatorError } from '../errors.ts';

const HEADER = '# Generated from the resolver classes: do not edit. To write it anew: npm run schema:emit\n\n';

/** How many lines of either side a difference shows. */
const SHOWN_LINES = 5;

/**
 * The content of schema.graphql: everything in the order of its name, so that a change shows as
 * itself alone.
 */
export function schemaFileText(schema: GraphQLSchema): string {
  return `${HEADER}${printSchema(lexicographicSortSchema(schema))}\n`;
}

/** Writes schema.graphql. @returns its path */
export function writeSchemaFile(schema: GraphQLSchema, file = schemaFilePath()): string {
  writeFileSync(file, schemaFileText(schema));
  return file;
}

/**
 * @throws OperatorError that shows the first difference, when schema.graphql is not what the schema
 *   says
 */
export function checkSchemaFile(schema: GraphQLSchema, file = schemaFilePath()): void {
  const committed = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const difference = firstDifference(committed, schemaFileText(schema));
  if (difference)
    throw new OperatorError(
      `schema.graphql is not what the code makes (-: the file, +: the code)\n${difference}`,
      'Run: npm run schema:emit, then npm run codegen, and commit what they write.',
    );
}

/** @returns undefined when the texts are equal */
export function firstDifference(committed: string, expected: string): string | undefined {
  if (committed === expected) return undefined;
  const [old, now] = [committed.split('\n'), expected.split('\n')];
  const found = now.findIndex((text, index) => text !== old[index]);
  const from = found < 0 ? now.length : found;
  const shown = (lines: readonly string[], sign: string) =>
    lines.slice(from, from + SHOWN_LINES).map((text) => `${sign} ${text}`.trimEnd());
  return [`line ${from + 1}${enclosing(now, from)}:`, ...shown(old, '-'), ...shown(now, '+')].join('\n');
}

/** The type that a line of SDL lies in: the last line up to it that opens a block. */
function enclosing(lines: readonly string[], from: number): string {
  const opening = lines.slice(0, from + 1).findLast((line) => /^\w.* \{$/.test(line));
  return opening ? ` (${opening.replace(' {', '')})` : '';
}

function schemaFilePath(): string {
  return path.join(findProjectRoot(), 'schema.graphql');
}
