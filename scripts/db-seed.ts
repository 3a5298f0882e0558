import { recorded } from '../src/audit/operator-line.ts';
import { formatCount, formatDuration, formatRate } from '../src/cli/format.ts';
import { Progress } from '../src/cli/progress.ts';
import { runCommand } from '../src/cli/run-command.ts';
import { openCommandDatabase } from '../src/commands/command-database.ts';
import { counted } from '../src/counted.ts';
import { seedDatabase } from '../src/seed/seed-database.ts';
import { readSeedRequest, SEED_COMMAND } from '../src/seed/seed-options.ts';

const WRITTEN_TABLES = ['tenants', 'bank_accounts', 'transactions'];

await runCommand(SEED_COMMAND, async (line) => {
  const request = readSeedRequest(line, process.env.NODE_ENV);
  const startedAt = performance.now();
  const progress = new Progress();
  const log = (text: string) => progress.log(text);
  const database = await openCommandDatabase({ command: SEED_COMMAND.name, writes: WRITTEN_TABLES, log });
  const describe = (tenants: number, transactions: number) => {
    const durationMs = performance.now() - startedAt;
    const rate = formatRate(transactions, durationMs, 'rows');
    return `${formatCount(tenants)} of ${counted(request.tenants.length, 'tenant')}, ${counted(transactions, 'transaction')} in ${formatDuration(durationMs)}, ${rate}`;
  };
  try {
    let done = '';
    await recorded(database.client, { action: SEED_COMMAND.name, tenantId: null, key: null }, () =>
      seedDatabase({
        ...request,
        client: database.client,
        onProgress: (tenants, transactions) => {
          done = describe(tenants, transactions);
          progress.update(() => done);
        },
      }),
    );
    progress.close();
    process.stdout.write(`${done}\n`);
    return 0;
  } finally {
    progress.close();
    await database.close();
  }
});
