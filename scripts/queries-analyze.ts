import { runCommand } from '../src/cli/run-command.ts';
import { ANALYZE, analyzeCommand } from '../src/commands/analyze-command.ts';

await runCommand(ANALYZE, analyzeCommand);
