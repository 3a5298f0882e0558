import { runCommand } from '../src/cli/run-command.ts';
import { DASHBOARD, dashboardCommand } from '../src/commands/dashboard-command.ts';

await runCommand(DASHBOARD, dashboardCommand);
