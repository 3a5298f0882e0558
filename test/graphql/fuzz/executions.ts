import { type DocumentNode, type ExecutionResult, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import pino from 'pino';
import { Executor } from '../../../src/apollo/executor.ts';
import { createSchema } from '../../../src/app/schema.ts';
import { closeServices, createServices } from '../../../src/app/services.ts';
import { AuditLog } from '../../../src/audit/audit-log.ts';
import type { Caller } from '../../../src/auth/caller.ts';
import { Role } from '../../../src/auth/caller.ts';
import { openChangeFeed } from '../../../src/cache/change-feed/open-change-feed.ts';
import { readConfig } from '../../../src/config/config.ts';
import { DEFAULT_QUEUE_LIMITS } from '../../../src/config/queue-limits.ts';
import { RequestContext } from '../../../src/context/request-context.ts';
import { SERVICE_ROLE } from '../../../src/database/service-rights.ts';
import { Monitor } from '../../../src/monitoring/monitor.ts';
import { RequestTiming } from '../../../src/monitoring/request-timing.ts';
import { SlowPlans } from '../../../src/monitoring/slow-plans.ts';
import { TenantScope } from '../../../src/tenancy/tenant-scope.ts';
import { TWINS, type Twin } from '../../support/twin-tenants.ts';
import type { Variables } from './operation-generator.ts';
import { referenceAnswer } from './reference.ts';
import { StillDatabase } from './still-database.ts';

export interface AskedOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Variables;
}

/**
 * The service's resolvers on a database of the tests, without HTTP and what stands before the
 * execution.
 */
export interface Executions {
  readonly schema: GraphQLSchema;
  readonly executor: Executor;
  /** By graphql-js and nothing else: what every answer is held against. */
  byGraphqlJs(asked: AskedOperation): Promise<string>;
  byExecutor(asked: AskedOperation): Promise<string>;
  close(): Promise<void>;
}

/** @param url of a database with the twin tenants */
export async function openExecutions(url: string): Promise<Executions> {
  const config = readConfig({ AUTH_SECRET: 'a secret of the tests', LOG_LEVEL: 'fatal' });
  const logger = pino({ level: config.logLevel });
  const plans = new SlowPlans(url, () => {});
  const monitor = new Monitor({ ...config.monitoring, logger, plans });
  const { statementTimeoutMs } = config.database;
  const poolSize = 4;
  const queue = { ...DEFAULT_QUEUE_LIMITS, timeoutMs: 60_000 }; // a busy machine is no difference
  const database = new StillDatabase({ url, poolSize, statementTimeoutMs, queue, takeServiceRole: true });
  const changeFeed = await openChangeFeed({
    enabled: true,
    connection: { url, role: SERVICE_ROLE },
    database,
    onError: (error) => logger.warn({ err: error }, 'outbox'),
  });
  await warmUp(database, poolSize);
  const schema = createSchema();
  const audit = new AuditLog({ database, onError: (error) => logger.warn({ err: error }, 'audit') });
  const runtime = { config, logger, monitor, database, redis: undefined, changeFeed };
  const services = createServices({ ...runtime, schemaHash: 'fuzz', audit });
  const executor = new Executor(schema, { compiles: true });
  const caller = readerOf(TWINS[0] as Twin);
  const context = () => new RequestContext(caller, services, new RequestTiming());
  return {
    schema,
    executor,
    byGraphqlJs: async ({ document, operation, variables }) => {
      const operationName = operation.name?.value;
      const args = { schema, document, operationName, variableValues: variables, contextValue: context() };
      return textOf(await referenceAnswer(args, operation));
    },
    byExecutor: async ({ document, operation, variables }) =>
      textOf(
        await executor.execute({
          document,
          operation,
          operationName: operation.name?.value,
          variables,
          context: context(),
        }),
      ),
    async close() {
      await changeFeed.stop();
      await audit.stop();
      await closeServices(services);
      await database.close();
      await plans.close();
    },
  };
}

/** Opens all connections: on a busy machine that takes longer than a statement waits for one. */
async function warmUp(database: StillDatabase, connections: number): Promise<void> {
  let open = 0;
  let allOpen = () => {};
  const opened = new Promise<void>((resolve) => {
    allOpen = resolve;
  });
  const hold = () => {
    if (++open === connections) allOpen();
    return opened;
  };
  await Promise.all(Array.from({ length: connections }, () => database.withConnection(hold)));
}

function readerOf({ id, slug }: Twin): Caller {
  const tenant = { scope: TenantScope.ofVerifiedCaller(id), slug };
  return { subject: 'reader', name: 'Reader', role: Role.ANALYST, tenant };
}

/** The answer as JSON. The order of its two parts is the transport's. */
function textOf({ data, errors }: ExecutionResult): string {
  return withoutMoments(JSON.stringify({ errors, data }));
}

const STARTED_MS = Date.now();
const MINUTE_MS = 60_000;

/**
 * Without instants at which the test ran, which are the only ones of its last minutes: all others
 * are the data's.
 */
export function withoutMoments(answer: string): string {
  return answer.replaceAll(/"(\d{4}-\d\d-\d\dT[^"]+Z)"/g, (text, instant) => {
    const time = Date.parse(instant);
    return time >= STARTED_MS && time <= Date.now() + MINUTE_MS ? '"(now)"' : text;
  });
}
