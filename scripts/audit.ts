import { AUDIT, auditCommand } from '../src/audit/audit-command.ts';
import { runCommand } from '../src/cli/run-command.ts';

await runCommand(AUDIT, (line) => auditCommand(line));
