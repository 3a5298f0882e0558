import { MIGRATE, migrateCommand } from '../src/cli/migrate-command.ts';
import { runCommand } from '../src/cli/run-command.ts';

await runCommand(MIGRATE, () => migrateCommand((line) => process.stderr.write(`${line}\n`)));
