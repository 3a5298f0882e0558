import { Progress } from '../src/cli/progress.ts';
import { runCommand } from '../src/cli/run-command.ts';
import { readSoakOptions, SOAK, TOO_FEW_EXIT_CODE, WRONG_EXIT_CODE } from '../test/load/soak/options.ts';
import { formatSoak, isWrong, tooFew } from '../test/load/soak/report.ts';
import { runSoak } from '../test/load/soak/run-soak.ts';

await runCommand(SOAK, async (line) => {
  const options = readSoakOptions(line);
  const report = await runSoak(options, new Progress());
  process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : formatSoak(report)}\n`);
  if (isWrong(report)) return WRONG_EXIT_CODE;
  const shortage = tooFew(report, options.nearWrites);
  if (shortage === null) return 0;
  process.stderr.write(`${shortage}\n`);
  return TOO_FEW_EXIT_CODE;
});
