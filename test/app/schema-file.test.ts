import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import { createSchema } from '../../src/app/schema.ts';
import { checkSchemaFile, firstDifference, schemaFileText, writeSchemaFile } from '../../src/app/schema-file.ts';
import { OperatorError } from '../../src/errors.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const small = buildSchema('"Beginning of all." type Query { b(y: Int = 1, x: ID): String a: Int }');

test('the committed schema.graphql is what the code makes', () => {
  checkSchemaFile(createSchema());
});

test('writes types, fields and arguments by name, with their descriptions, and says where it comes from', () => {
  const file = writeSchemaFile(small, path.join(makeTempFolder(), 'schema.graphql'));
  expect(readFileSync(file, 'utf8')).toBe(
    `# Generated from the resolver classes: do not edit. To write it anew: npm run schema:emit

"""Beginning of all."""
type Query {
  a: Int
  b(x: ID, y: Int = 1): String
}
`,
  );
});

test('a file that is not what the code makes is refused with the place, both sides and the remedy', () => {
  const file = path.join(makeTempFolder(), 'schema.graphql');
  writeFileSync(file, schemaFileText(small).replace('a: Int', 'a: Int!'));
  const refusal = refusalOf(() => checkSchemaFile(small, file));
  expect(refusal.message).toContain('line 5 (type Query):\n-   a: Int!\n');
  expect(refusal.message).toContain('\n+   a: Int\n');
  expect(refusal.remedy).toContain('npm run schema:emit');
});

test('a missing file is refused as an empty one', () => {
  const refusal = refusalOf(() => checkSchemaFile(small, path.join(makeTempFolder(), 'schema.graphql')));
  expect(refusal.message).toContain('line 1:');
});

test('a file that only goes on longer is refused where the code ends', () => {
  expect(firstDifference('a\nb\nc', 'a\nb')).toBe('line 3:\n- c');
});

function refusalOf(action: () => void): OperatorError {
  try {
    action();
  } catch (error) {
    if (error instanceof OperatorError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
