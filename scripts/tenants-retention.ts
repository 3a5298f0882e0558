import { runCommand } from '../src/cli/run-command.ts';
import { RETENTION, retentionCommand } from '../src/commands/retention-command.ts';

await runCommand(RETENTION, retentionCommand);
