import type { GraphQLSchema } from 'graphql';
import { sentences } from '../graphql/sentences.ts';

const QUERY = sentences(
  "What can be read: the data of the caller's tenant, and how the service performs.",
  'An answer from the cache is not older than the last write, unless maxStalenessSeconds is given.',
);

const MUTATION = sentences(
  "Changes of the tenant's data and of its cache. All need the role ADMIN.",
  'A broken rule of the business comes back in userErrors, and nothing is changed then.',
);

const SUBSCRIPTION = sentences(
  "What the service tells by itself when the tenant's data change, whoever changed them.",
  'Sent with accept: text/event-stream (graphql-sse, distinct connections), or by WebSocket',
  '(graphql-transport-ws).',
);

/** TypeGraphQL makes these types by itself and takes no description of them. */
export function describeRootTypes(schema: GraphQLSchema): void {
  const [query, mutation, subscription] = [
    schema.getQueryType(),
    schema.getMutationType(),
    schema.getSubscriptionType(),
  ];
  if (query) query.description = QUERY;
  if (mutation) mutation.description = MUTATION;
  if (subscription) subscription.description = SUBSCRIPTION;
}
