import { INVALIDATE, invalidateCommand } from '../src/cache/invalidate-command.ts';
import { runCommand } from '../src/cli/run-command.ts';

await runCommand(INVALIDATE, invalidateCommand);
