import { runCommand } from '../src/cli/run-command.ts';
import { GRANT, grantCommand } from '../src/commands/grant-command.ts';

await runCommand(GRANT, grantCommand);
