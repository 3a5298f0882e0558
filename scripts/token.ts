import { runCommand } from '../src/cli/run-command.ts';
import { issueToken, TOKEN_COMMAND } from '../src/commands/token-command.ts';
import { readConfig } from '../src/config/config.ts';

await runCommand(TOKEN_COMMAND, async (line) => {
  const token = await issueToken(readConfig(), line);
  process.stdout.write(`${token}\n`);
  return 0;
});
