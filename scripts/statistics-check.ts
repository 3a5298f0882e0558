import { runCommand } from '../src/cli/run-command.ts';
import { CHECK, checkCommand } from '../src/commands/statistics-command.ts';

await runCommand(CHECK, checkCommand);
