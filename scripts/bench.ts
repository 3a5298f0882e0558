import { runCommand } from '../src/cli/run-command.ts';
import { BENCH, readBenchOptions } from './bench/options.ts';
import { formatReport, reportJson } from './bench/report.ts';
import { runBench } from './bench/run-bench.ts';

await runCommand(BENCH, async (line) => {
  const options = readBenchOptions(line);
  const report = await runBench(options);
  process.stdout.write(`${options.json ? reportJson(report) : formatReport(report)}\n`);
  return 0;
});
