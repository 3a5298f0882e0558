import { createSchema } from '../src/app/schema.ts';
import { checkSchemaFile } from '../src/app/schema-file.ts';
import { runCommand } from '../src/cli/run-command.ts';

const SPEC = {
  name: 'schema:check',
  summary: 'Fails when schema.graphql is not what the resolver classes make, and shows where.',
  options: {},
} as const;

await runCommand(SPEC, async () => {
  checkSchemaFile(createSchema());
  process.stderr.write('schema.graphql is what the code makes.\n');
  return 0;
});
