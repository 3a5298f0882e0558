import type { GraphQLError } from 'graphql';
import type { LoadedAnswer } from '../cache/response/answer.ts';

interface HttpExtension {
  readonly status?: number;
  readonly headers?: Iterable<readonly [string, string]>;
}

/** The answer to a request that is refused before GraphQL, in GraphQL's own form. */
export function refusedAnswer(
  { message, extensions: { http, ...extensions } }: GraphQLError,
  requestId: string,
): LoadedAnswer & { readonly errorCode: string } {
  const { status = 500, headers = [] } = (http ?? {}) as HttpExtension;
  return {
    status,
    headers: { ...Object.fromEntries(headers), 'content-type': 'application/json; charset=utf-8' },
    // Apollo Server ends its answers so, too.
    body: Buffer.from(`${JSON.stringify({ errors: [{ message, extensions: { ...extensions, requestId } }] })}\n`),
    operationName: null,
    errorCode: String(extensions.code),
    requestId,
  };
}
