import { runCommand } from '../src/cli/run-command.ts';
import { CHECK, checkCommand } from '../src/statistics/statistics-command.ts';

await runCommand(CHECK, checkCommand);
