import { runCommand } from '../src/cli/run-command.ts';
import { URL_COMMAND, urlCommand } from '../src/commands/url-command.ts';

await runCommand(URL_COMMAND, async () => {
  process.stdout.write(`${await urlCommand()}\n`);
  return 0;
});
