import { runCommand } from '../src/cli/run-command.ts';
import { REBUILD, rebuildCommand } from '../src/statistics/statistics-command.ts';

await runCommand(REBUILD, rebuildCommand);
