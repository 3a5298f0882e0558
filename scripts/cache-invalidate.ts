import { runCommand } from '../src/cli/run-command.ts';
import { INVALIDATE, invalidateCommand } from '../src/commands/invalidate-command.ts';

await runCommand(INVALIDATE, invalidateCommand);
