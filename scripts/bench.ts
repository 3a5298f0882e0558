import { runCommand } from '../src/cli/run-command.ts';
import { areSharesFair } from '../test/load/bench/fair-shares-table.ts';
import { BENCH, type BenchOptions, readBenchOptions } from '../test/load/bench/options.ts';
import { arePricesRight } from '../test/load/bench/price-table.ts';
import { formatReport } from '../test/load/bench/report.ts';
import { runBench } from '../test/load/bench/run-bench.ts';
import { runScale } from '../test/load/bench/run-scale.ts';
import { formatScale } from '../test/load/bench/scale-table.ts';

await runCommand(BENCH, async (line) => {
  const options = readBenchOptions(line);
  const { text, isRight } = await run(options);
  process.stdout.write(`${text}\n`);
  return isRight ? 0 : 1;
});

/**
 * @returns what is printed, in JSON with null for what could not be measured; and whether no price
 *   is far from what its work costs, and no aim of fair shares is missed
 */
async function run(options: BenchOptions): Promise<{ readonly text: string; readonly isRight: boolean }> {
  if (options.scaleSteps) {
    const report = await runScale(options, options.scaleSteps);
    return { text: options.json ? JSON.stringify(report, null, 2) : formatScale(report), isRight: true };
  }
  const report = await runBench(options);
  const text = options.json ? JSON.stringify(report, null, 2) : formatReport(report);
  const { prices, fairShares } = report;
  const isRight = (!prices || arePricesRight(prices)) && (!fairShares || areSharesFair(fairShares));
  return { text, isRight };
}
