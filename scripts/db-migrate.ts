import { runCommand } from '../src/cli/run-command.ts';
import { MIGRATE, migrateCommand } from '../src/commands/migrate-command.ts';

await runCommand(MIGRATE, () => migrateCommand((line) => process.stderr.write(`${line}\n`)));
