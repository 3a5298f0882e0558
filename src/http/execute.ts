import type { IncomingHttpHeaders } from 'node:http';
import { type ApolloServer, HeaderMap } from '@apollo/server';
import type { LoadedAnswer } from '../cache/response/answer.ts';
import type { RequestContext } from '../context/request-context.ts';
import type { GraphqlRequest, MediaType } from '../graphql/graphql-request.ts';

/** Apollo Server's answer, and what was learned about it on the way. */
export async function execute(
  apollo: ApolloServer<RequestContext>,
  headers: IncomingHttpHeaders,
  { query, operationName, variables, mediaType }: GraphqlRequest,
  context: RequestContext,
): Promise<LoadedAnswer> {
  const {
    status,
    headers: answered,
    body,
  } = await apollo.executeHTTPGraphQLRequest({
    // What was read, in the one form that Apollo Server takes without reading it again.
    httpGraphQLRequest: {
      method: 'POST',
      headers: headerMap(headers, mediaType),
      search: '',
      body: { query, operationName, variables },
    },
    context: async () => context,
  });
  if (body.kind !== 'complete') throw new Error('the schema has no incremental delivery');
  return {
    status: status ?? 200,
    headers: Object.fromEntries(answered),
    body: Buffer.from(body.string),
    operationName: context.timing.operation,
    errorCode: context.policy.errorCode,
    requestId: context.requestId,
    ...(context.policy.isComplete && { policy: context.policy }),
  };
}

/**
 * With the one media type that was chosen. Apollo Server sends JSON in any case, and parses each
 * `Accept` twice.
 */
function headerMap(headers: IncomingHttpHeaders, mediaType: MediaType): HeaderMap {
  const map = new HeaderMap();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name === 'accept') continue;
    map.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  if (mediaType !== 'application/json') map.set('accept', `${mediaType}; charset=utf-8`);
  return map;
}
