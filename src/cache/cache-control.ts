import { DirectiveLocation, GraphQLDirective, GraphQLEnumType, GraphQLInt } from 'graphql';
import { Directive } from 'type-graphql';

/**
 * How a root field's answers may be kept. Only read at start, by `CacheableOperations`: Apollo Server's own evaluation
 * is off, since it wraps every field of the schema.
 */
export const cacheControlDirective = new GraphQLDirective({
  name: 'cacheControl',
  description:
    'maxAge 0: never kept. scope PRIVATE: kept for each viewer apart. Without it an answer is kept for its tenant.',
  locations: [DirectiveLocation.FIELD_DEFINITION],
  args: {
    maxAge: { type: GraphQLInt },
    scope: {
      type: new GraphQLEnumType({
        name: 'CacheControlScope',
        values: { PUBLIC: {}, PRIVATE: {} },
        description: 'For whom an answer is kept.',
      }),
    },
  },
});

/** The answer shows who is asking. */
export const PerViewer = () => Directive('@cacheControl(scope: PRIVATE)');

/** The answer is of the moment and is never kept. */
export const NeverKept = () => Directive('@cacheControl(maxAge: 0)');
