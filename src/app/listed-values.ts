import { GraphQLError, type GraphQLSchema, isEnumType } from 'graphql';
import { ErrorCode } from '../errors.ts';
import { withoutSuggestion } from '../graphql/format-error.ts';

/**
 * Has an enum refuse what is none of its values as an argument that does not hold, with the values
 * that there are: graphql-js tells them only to who is close to one of them, and calls it a fault
 * of the document.
 */
export function listValues(schema: GraphQLSchema, name: string): void {
  const type = schema.getType(name);
  if (!isEnumType(type)) throw new Error(`the schema has no enum ${name}`);
  const expected = type.getValues().map((value) => value.name);
  const refuse = (error: unknown): never => {
    if (!(error instanceof GraphQLError)) throw error;
    const { message } = withoutSuggestion(error);
    throw new GraphQLError(`${message} It must be one of ${expected.join(', ')}.`, {
      ...(error.nodes && { nodes: error.nodes }),
      // Apollo Server gives a code of its own to whatever a document is refused for; `formatError`
      // puts this one in its place.
      extensions: { refusedAs: ErrorCode.BadUserInput },
    });
  };
  const [parseValue, parseLiteral] = [type.parseValue.bind(type), type.parseLiteral.bind(type)];
  type.parseValue = (...given) => orElse(refuse, () => parseValue(...given));
  type.parseLiteral = (...given) => orElse(refuse, () => parseLiteral(...given));
}

function orElse<Result>(refuse: (error: unknown) => never, parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    return refuse(error);
  }
}
