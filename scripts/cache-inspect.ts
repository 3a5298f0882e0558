import { INSPECT, inspectCommand } from '../src/cache/inspect/inspect-command.ts';
import { runCommand } from '../src/cli/run-command.ts';

await runCommand(INSPECT, inspectCommand);
