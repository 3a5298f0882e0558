import { runCommand } from '../src/cli/run-command.ts';
import { REBUILD, rebuildCommand } from '../src/commands/statistics-command.ts';

await runCommand(REBUILD, rebuildCommand);
