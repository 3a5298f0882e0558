import { Role } from '../../../src/auth/caller.ts';
import { cacheOutcome } from '../../support/cache-outcome.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { withItsId } from '../../support/request-ids.ts';
import { startService, type TestService } from '../../support/service.ts';
import { TWINS, type Twin } from '../../support/twin-tenants.ts';
import type { Difference } from './difference.ts';
import { withoutMoments } from './executions.ts';
import type { GeneratedOperation, Variables } from './operation-generator.ts';

/** The first is stored; the others come from the cache, as far as there are no errors. */
const EXECUTIONS = 4;

/** The whole service with its cache and with compiled queries, beside one that has neither. */
export interface CachedAndPlain {
  readonly cached: TestService;
  readonly plain: TestService;
  readonly token: string;
  /** Answers that came from the cache. */
  hits: number;
  close(): Promise<void>;
}

export async function startCachedAndPlain(database: TestDatabase): Promise<CachedAndPlain> {
  const env = { DATABASE_POOL_SIZE: '4' };
  const cached = await startService({ database, env: { ...env, CONSISTENCY_SAMPLE: '1' } });
  const plain = await startService({ database, env: { ...env, CACHE: 'off', EXECUTOR: 'graphql-js' } });
  const token = await cached.token(Role.ANALYST, (TWINS[0] as Twin).slug);
  for (const service of [cached, plain]) await untilConnected(service, token);
  const close = async () => {
    await Promise.all([cached.close(), plain.close()]);
  };
  return { cached, plain, token, hits: 0, close };
}

/** On a busy machine connecting takes longer than a request waits for it. */
async function untilConnected(service: TestService, token: string): Promise<void> {
  for (let attempts = 20; attempts > 0; attempts--) {
    const { errors } = await service.send(
      token,
      '{ a: accounts { nodes { id } } b: transactions { nodes { id } } tenant { id } }',
    );
    if (!errors) return;
  }
  throw new Error('the service does not reach its database');
}

/**
 * Asks for a generated operation again and again over HTTP. @returns the first answer that is not
 * the plain service's
 */
export async function differenceThroughCache(
  services: CachedAndPlain,
  seed: number,
  generated: GeneratedOperation,
): Promise<Difference | undefined> {
  for (const variables of generated.variables) {
    const expected = (await ask(services.plain, services.token, generated, variables)).text;
    for (let execution = 1; execution <= EXECUTIONS; execution++) {
      const { text: got, isHit } = await ask(services.cached, services.token, generated, variables);
      if (isHit) services.hits++;
      if (got !== expected)
        return { seed, generated, variables, execution: `execution ${execution} through the cache`, expected, got };
    }
  }
  return undefined;
}

async function ask(
  { url }: TestService,
  token: string,
  { document, operationName }: GeneratedOperation,
  variables: Variables,
) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: document, operationName, variables }),
  });
  const isHit = cacheOutcome(response.headers.get('cache-status')) === 'tenantry; hit';
  const body = withItsId(await response.text(), response.headers.get('x-request-id'));
  return { text: `${response.status} ${withoutMoments(body)}`, isHit };
}
