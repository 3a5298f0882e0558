import type { TypedDocumentString } from '../generated/graphql.ts';
import type { GraphqlAnswer, TestService } from './service.ts';

/** An answer of a typed operation. `data` is null when the operation failed as a whole. */
export interface TypedAnswer<Data> extends Omit<GraphqlAnswer, 'data'> {
  readonly data: Data | null;
}

/**
 * Sends a typed operation and gives its data. @throws with every error of the answer, when there is
 * one
 */
export async function request<Data, Variables>(
  service: Pick<TestService, 'send'>,
  token: string | null,
  document: TypedDocumentString<Data, Variables>,
  ...variables: VariablesOf<Variables>
): Promise<Data> {
  const { data, errors, status } = await requestAnswer(service, token, document, ...variables);
  if (errors || data === null)
    throw new Error(`${nameOf(document)} failed with status ${status}: ${JSON.stringify(errors ?? null)}`);
  return data;
}

/** Sends a typed operation and gives the whole answer, errors, status and headers included. */
export async function requestAnswer<Data, Variables>(
  service: Pick<TestService, 'send'>,
  token: string | null,
  document: TypedDocumentString<Data, Variables>,
  ...[variables]: VariablesOf<Variables>
): Promise<TypedAnswer<Data>> {
  return service.send(token, document.toString(), variables ?? {});
}

/** Variables may be left out where none is required. */
type VariablesOf<Variables> =
  Record<string, never> extends Variables ? [variables?: Variables] : [variables: Variables];

function nameOf(document: { toString(): string }): string {
  return /(?:query|mutation)\s+(\w+)/.exec(document.toString())?.[1] ?? 'an unnamed operation';
}
