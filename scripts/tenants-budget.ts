import { runCommand } from '../src/cli/run-command.ts';
import { BUDGET, budgetCommand } from '../src/commands/budget-command.ts';

await runCommand(BUDGET, budgetCommand);
