import { runCommand } from '../src/cli/run-command.ts';
import { DOCTOR, doctorCommand } from '../src/commands/doctor-command.ts';

await runCommand(DOCTOR, doctorCommand);
