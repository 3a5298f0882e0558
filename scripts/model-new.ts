import { runCommand } from '../src/cli/run-command.ts';
import { MODEL_NEW, modelNewCommand } from '../src/commands/model-new-command.ts';

await runCommand(MODEL_NEW, modelNewCommand);
