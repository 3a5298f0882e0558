import { runCommand } from '../src/cli/run-command.ts';
import { AUDIT, auditCommand } from '../src/commands/audit-command.ts';

await runCommand(AUDIT, (line) => auditCommand(line));
