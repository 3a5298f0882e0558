import { createSchema } from '../src/app/schema.ts';
import { writeSchemaFile } from '../src/app/schema-file.ts';
import { runCommand } from '../src/cli/run-command.ts';

const SPEC = {
  name: 'schema:emit',
  summary: 'Writes schema.graphql, the public surface, from the resolver classes.',
  options: {},
} as const;

await runCommand(SPEC, async () => {
  const file = writeSchemaFile(createSchema());
  process.stderr.write(`${file} is written; npm run codegen brings the typed operations up to it.\n`);
  return 0;
});
