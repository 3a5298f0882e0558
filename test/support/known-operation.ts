import type { TestService } from './service.ts';

/** From this use on an operation is compiled. */
const USES = 3;

/**
 * Has an operation read, validated and compiled, so that it costs whoever asks next its price and
 * no more.
 * @param token who pays for that: of another tenant, or its answer may come from the cache then
 */
export async function makeKnown(
  service: TestService,
  token: string,
  query: string,
  variables?: Record<string, unknown>,
): Promise<void> {
  for (let use = 0; use < USES; use++) await service.send(token, query, variables);
}
