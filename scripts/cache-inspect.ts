import { runCommand } from '../src/cli/run-command.ts';
import { INSPECT, inspectCommand } from '../src/commands/inspect-command.ts';

await runCommand(INSPECT, inspectCommand);
