import { afterAll, beforeAll, expect, it } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { createTokenIssuer } from '../../src/auth/token-issuer.ts';
import { readConfig } from '../../src/config/config.ts';
import { insertTenant } from '../support/fixtures.ts';
import { createMainDatabase, MAIN_SECRET, type MainProcess, startMain } from '../support/main-process.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { sendTo } from '../support/service.ts';
import { until } from '../support/until.ts';
import { type Collector, startCollector } from './collector.ts';

/** Exports soon, and gives up soon. */
const SOON = { OTEL_BSP_SCHEDULE_DELAY: '50', OTEL_EXPORTER_OTLP_TIMEOUT: '300' };
/** The two seconds for the last spans, and what a busy machine takes for the rest. */
const END_MS = 15_000;

interface JsonSpan {
  readonly name: string;
  readonly traceId: string;
}

interface JsonTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue?: string } }[] };
    readonly scopeSpans: readonly { readonly spans: readonly JsonSpan[] }[];
  }[];
}

let database: TestDatabase;
let collector: Collector;
let token: string;

beforeAll(async () => {
  database = await createMainDatabase();
  const tenantId = await insertTenant(database.url, { slug: 'north' });
  const { auth } = readConfig({ AUTH_SECRET: MAIN_SECRET });
  token = await createTokenIssuer(auth, false).issue({
    ...{ subject: 'somebody', role: Role.VIEWER, tenantId },
    lifetimeSeconds: 3600,
  });
  collector = await startCollector();
});

afterAll(async () => {
  await collector.close();
  await database.drop();
});

it('exports to a collector that takes traces, and answers while it refuses, hangs or is away', async () => {
  const service = await start({
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=abc',
    OTEL_SERVICE_NAME: 'ledger',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    SLOW_OPERATION_MS: '0',
  });
  await ask(service);
  await until(() => spansIn(collector).some(({ name }) => name === 'POST /graphql'));
  const [{ headers, path, body } = fail()] = collector.sent;
  expect([path, headers['x-key']]).toEqual(['/v1/traces', 'abc']);
  const { attributes } = (JSON.parse(body.toString()) as JsonTraces).resourceSpans[0]?.resource ?? fail();
  const told = Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));
  expect(told).toMatchObject({ 'service.name': 'ledger', 'deployment.environment.name': 'test' });
  const traceIds = new Set(spansIn(collector).map(({ traceId }) => traceId));
  expect(traceIds.size).toBe(1);
  expect(service.output()).toContain(`"traceId":"${[...traceIds][0]}"`); // of the slow operation

  collector.mode = 'refuses';
  await ask(service);
  await until(() => service.output().includes('the collector of traces does not take them'));
  collector.mode = 'takes';
  await ask(service);
  await until(() => service.output().includes('the collector takes traces again'));

  collector.mode = 'hangs';
  const before = collector.sent.length;
  await ask(service);
  await until(() => collector.sent.length > before);
  await collector.close();
  await ask(service);
  await end(service);
  collector = await startCollector();
  const outages = service.output().match(/does not take them/g) ?? [];
  expect(outages.length).toBeLessThanOrEqual(2);
});

it('exports protobuf where nothing else is asked for, and the last spans at its end', async () => {
  collector.mode = 'takes';
  const before = collector.sent.length;
  const service = await start({ OTEL_BSP_SCHEDULE_DELAY: '60000' });
  await ask(service);
  await end(service);
  const [{ headers, body } = fail()] = collector.sent.slice(before);
  expect(headers['content-type']).toBe('application/x-protobuf');
  for (const text of ['tenantry', 'POST /graphql', 'cache', 'query', 'graphql.operation.type'])
    expect(body.includes(text), text).toBe(true);
});

async function start(env: Readonly<Record<string, string>>): Promise<MainProcess> {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const service = await startMain({ DATABASE_URL: database.url, TELEMETRY: 'otlp', ...SOON, ...endpoint, ...env });
  await service.untilReady();
  return service;
}

async function ask({ url }: MainProcess): Promise<void> {
  const { data, errors } = await sendTo(url, token, 'query Who { viewer { role } tenant { name } }');
  expect([data?.tenant.name, errors]).toEqual([expect.any(String), undefined]);
}

async function end(service: MainProcess): Promise<void> {
  const beganMs = performance.now();
  service.signal('SIGTERM');
  expect(await service.ended).toEqual({ code: 0, signal: null });
  expect(performance.now() - beganMs).toBeLessThan(END_MS);
}

function spansIn({ sent }: Collector): readonly JsonSpan[] {
  return sent
    .flatMap(({ body }) => (JSON.parse(body.toString()) as JsonTraces).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}

function fail(): never {
  throw new Error('nothing was sent');
}
