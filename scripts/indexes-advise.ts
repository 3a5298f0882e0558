import type { CommandSpec } from '../src/cli/command-line.ts';
import { runCommand } from '../src/cli/run-command.ts';
import { openCommandDatabase } from '../src/commands/command-database.ts';
import { OperatorError } from '../src/errors.ts';
import { adviceAsJson, formatAdvice } from '../src/indexes/advice-report.ts';
import { adviseIndexes, findWorkload } from '../src/indexes/advise-database.ts';
import { JSON_OPTION } from '../src/indexes/command-options.ts';
import type { ReportSource } from '../src/indexes/service-workload.ts';

const SPEC = {
  name: 'indexes:advise',
  summary:
    'Says which indexes the real workload lacks and which it does not need, as SQL with the reasons. Changes nothing:\n' +
    'indexes are tried with HypoPG where that extension is made, else on temporary copies.',
  options: {
    from: {
      type: 'string',
      value: '<url|file>',
      description:
        'A running service to ask for the workload, for example\nhttp://localhost:4000/graphql, or a file with its answer.\nDefault: pg_stat_statements.',
    },
    token: { type: 'string', value: '<token>', description: "An OPERATOR's, for a URL." },
    ...JSON_OPTION,
  },
  notes: 'The database is the one DATABASE_URL names, else the embedded one. How it decides: docs/indexes.md.',
} as const satisfies CommandSpec;

await runCommand(SPEC, async ({ options: { from, token, json } }) => {
  const report = reportSource(from, token);
  const database = await openCommandDatabase({ command: SPEC.name });
  try {
    const workload = await findWorkload(database.client, report);
    const advice = await adviseIndexes(database.client, workload);
    process.stdout.write(`${json ? JSON.stringify(adviceAsJson(advice), null, 2) : formatAdvice(advice)}\n`);
    return 0;
  } finally {
    await database.close();
  }
});

function reportSource(from: string | undefined, token: string | undefined): ReportSource | undefined {
  const isUrl = from !== undefined && /^https?:/.test(from);
  if (isUrl !== (token !== undefined))
    throw new OperatorError(
      'A --from that is a URL needs a --token, and nothing else does.',
      'npm run --silent token -- --role OPERATOR prints one.',
    );
  if (from === undefined) return undefined;
  return token === undefined ? { file: from } : { url: from, token };
}
