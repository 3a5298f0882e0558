import { Progress } from '../src/cli/progress.ts';
import { runCommand } from '../src/cli/run-command.ts';
import { readSoakOptions, SOAK, WRONG_EXIT_CODE } from './soak/options.ts';
import { formatSoak, isWrong } from './soak/report.ts';
import { runSoak } from './soak/run-soak.ts';

await runCommand(SOAK, async (line) => {
  const options = readSoakOptions(line);
  const report = await runSoak(options, new Progress());
  process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : formatSoak(report)}\n`);
  return isWrong(report) ? WRONG_EXIT_CODE : 0;
});
