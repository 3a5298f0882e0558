import type { CommandSpec } from '../cli/command-line.ts';
import { formatDuration } from '../cli/format.ts';
import { counted } from '../counted.ts';
import { planLines } from '../database/plan.ts';
import { isModel, MODELS } from '../database/tables.ts';
import { OperatorError } from '../errors.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { type AnalyzedOperation, analyzeQuery, OPERATIONS, type QueryAnalysis } from '../indexes/analyze-query.ts';
import { MODELS_OF_NO_TENANT } from '../tenancy/tenant-models.ts';
import { TenantScope } from '../tenancy/tenant-scope.ts';
import { openCommandDatabase } from './command-database.ts';
import { slugAsked, tenantBySlug } from './named-tenant.ts';

const NOT_SERVED = 2;
const OWNED = MODELS.filter((model) => !(model in MODELS_OF_NO_TENANT));

const OPTIONS = {
  tenant: { type: 'string', value: '<slug>', description: 'Whose rows. Required.' },
  model: { type: 'string', value: '<model>', description: `One of ${OWNED.join(', ')}. Required.` },
  where: {
    type: 'string',
    value: '<json>',
    default: '{}',
    description: 'The condition, as Prisma Client takes it: \'{"status":"ACTIVE"}\'.',
  },
  operation: { type: 'string', value: '<operation>', default: 'query', description: `${OPERATIONS.join(', ')}.` },
  json: { type: 'boolean', description: 'For programs: everything, with the plans of EXPLAIN (FORMAT JSON).' },
} as const;

export const ANALYZE: CommandSpec<typeof OPTIONS> = {
  name: 'queries:analyze',
  summary:
    'Runs a query for a tenant, as the service would by Prisma Client, and says what it took: its time, its rows, its\n' +
    'statements with their plans, and whether an index serves it. Changes nothing.',
  options: OPTIONS,
  exitCodes: { [NOT_SERVED]: 'no index has its conditions' },
  notes: 'The database is the one DATABASE_URL names, else the embedded one.',
};

interface Given {
  readonly tenant: string | undefined;
  readonly model: string | undefined;
  readonly where: string;
  readonly operation: string;
  readonly json: boolean;
}

export async function analyzeCommand({ options }: { options: Given }): Promise<number> {
  const query = { model: modelAsked(options.model), where: conditionAsked(options.where) };
  const operation = operationAsked(options.operation);
  const slug = slugAsked(options.tenant);
  const { client, close } = await openCommandDatabase({ command: ANALYZE.name });
  try {
    const { id } = await tenantBySlug(client, slug);
    const scope = TenantScope.ofOperatorCommand(id);
    const analysis = await analyzeQuery(client, scope, query, operation).catch(asOperatorError);
    process.stdout.write(options.json ? `${JSON.stringify(analysis, null, 2)}\n` : textOf(analysis));
    return analysis.verdict.isServed ? 0 : NOT_SERVED;
  } finally {
    await close();
  }
}

function modelAsked(name: string | undefined): Prisma.ModelName {
  if (name !== undefined && isModel(name) && OWNED.includes(name)) return name;
  const got = name === undefined ? 'it is missing' : `but got: "${name}"`;
  throw new OperatorError(`--model must be one of ${OWNED.join(', ')}, ${got}.`, 'Nothing was read.');
}

function operationAsked(name: string): AnalyzedOperation {
  const found = OPERATIONS.find((operation) => operation === name);
  if (found) return found;
  throw new OperatorError(
    `--operation must be one of ${OPERATIONS.join(', ')}, but got: "${name}".`,
    'Nothing was read.',
  );
}

function conditionAsked(text: string): object {
  try {
    const where: unknown = JSON.parse(text);
    if (typeof where === 'object' && where !== null && !Array.isArray(where)) return where;
  } catch {
    // Told below, as what is JSON and no object.
  }
  throw new OperatorError(`--where must be an object in JSON, but got: ${text}`, `Such as '{"status":"ACTIVE"}'.`);
}

/** What is wrong with the condition stands in the last line of Prisma's message. */
function asOperatorError(error: unknown): never {
  if (!(error instanceof Error && /Validation|TenantScope/.test(error.name))) throw error;
  const lines = error.message.trim().split('\n');
  throw new OperatorError(`--where does not hold: ${lines.at(-1)}`, 'See the model in prisma/schema.prisma.');
}

function textOf(analysis: QueryAnalysis): string {
  const { model, operation, found, durationMs, statements, verdict } = analysis;
  const what =
    typeof found === 'number' ? `${found} ${operation === 'count' ? 'counted' : 'found'}` : found ? 'yes' : 'no';
  return [
    `${operation} of ${model}: ${what}, in ${formatDuration(durationMs)} with ${counted(statements.length, 'statement')}`,
    ...statements.flatMap(({ sql, durationMs, rows, plan }) => [
      '',
      sql,
      `  ${counted(rows, 'row')} in ${formatDuration(durationMs)}`,
      ...planLines(plan).map((line) => `  ${line}`),
    ]),
    '',
    verdict.reason,
    ...(verdict.suggestion ? [`One that might: ${verdict.suggestion}`] : []),
    '',
  ].join('\n');
}
