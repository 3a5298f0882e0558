import { DirectiveLocation, GraphQLDirective, GraphQLEnumType, GraphQLInt } from 'graphql';
import { Directive } from 'type-graphql';
import { sentences } from '../../graphql/sentences.ts';

/**
 * How a root field's answers may be kept. Only read at start, by `CacheableOperations`: Apollo
 * Server's own evaluation is off, since it wraps every field of the schema.
 */
export const cacheControlDirective = new GraphQLDirective({
  name: 'cacheControl',
  description: sentences(
    'How the answers of a root field may be cached.',
    'Without it an answer is cached for all callers of a tenant.',
  ),
  locations: [DirectiveLocation.FIELD_DEFINITION],
  args: {
    maxAge: { type: GraphQLInt, description: '0: never cached. Absent: cached.' },
    scope: {
      type: new GraphQLEnumType({
        name: 'CacheControlScope',
        values: {
          PUBLIC: { description: 'For all callers of the tenant.' },
          PRIVATE: { description: 'For each caller apart.' },
        },
        description: 'For whom an answer is cached.',
      }),
      description: 'For whom an answer is cached. Absent: PUBLIC.',
    },
  },
});

/** The answer shows who is asking. */
export const PerViewer = () => Directive('@cacheControl(scope: PRIVATE)');

/** The answer is of the moment and is never kept. */
export const NeverKept = () => Directive('@cacheControl(maxAge: 0)');
