import type { CommandSpec } from '../cli/command-line.ts';
import type { Queryable } from '../database/read-indexes.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { chosenModels, JSON_OPTION, MODEL_OPTIONS } from '../indexes/command-options.ts';
import { openCommandDatabase } from './command-database.ts';

/** What the commands have in common that show PostgreSQL's own figures of the models' tables. */
export const USAGE = {
  options: { ...MODEL_OPTIONS, ...JSON_OPTION },
  notes: 'Counters begin at the last reset of statistics.',
} as const satisfies Pick<CommandSpec, 'options' | 'notes'>;

interface Given {
  readonly model: string | undefined;
  readonly app: string | undefined;
  readonly json: boolean;
}

export async function showUsage<Usage>(
  command: string,
  options: Given,
  read: (client: Queryable, models: readonly Prisma.ModelName[]) => Promise<Usage>,
  format: (usage: Usage) => string,
): Promise<number> {
  const models = chosenModels(options);
  const { client, close } = await openCommandDatabase({ command });
  try {
    const usage = await read(client, models);
    process.stdout.write(`${options.json ? JSON.stringify(usage, null, 2) : format(usage)}\n`);
    return 0;
  } finally {
    await close();
  }
}
