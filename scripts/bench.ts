import { runCommand } from '../src/cli/run-command.ts';
import { BENCH, type BenchOptions, readBenchOptions } from './bench/options.ts';
import { formatReport } from './bench/report.ts';
import { runBench } from './bench/run-bench.ts';
import { runScale } from './bench/run-scale.ts';
import { formatScale } from './bench/scale-table.ts';

await runCommand(BENCH, async (line) => {
  const options = readBenchOptions(line);
  process.stdout.write(`${await run(options)}\n`);
  return 0;
});

/** @returns what is printed; in JSON, what could not be measured is null */
async function run(options: BenchOptions): Promise<string> {
  if (options.scaleSteps) {
    const report = await runScale(options, options.scaleSteps);
    return options.json ? JSON.stringify(report, null, 2) : formatScale(report);
  }
  const report = await runBench(options);
  return options.json ? JSON.stringify(report, null, 2) : formatReport(report);
}
