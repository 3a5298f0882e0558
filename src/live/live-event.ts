import { type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';
import { type LiveState, writeCursor } from './cursor.ts';

/** What a subscriber is sent. */
export interface LiveEvent {
  /** A result of GraphQL as JSON, in one line. */
  readonly text: string;
  /** The same, read. */
  readonly result: ExecutionResult;
  /** Where a subscriber goes on after it. */
  readonly cursor: string | undefined;
}

/** Subscribers of the same value share one event: by the bytes of the value. */
const made = new WeakMap<Buffer, LiveEvent>();

/**
 * The event of a value. @param body an answer as it was computed, or as the cache has it
 * @param state what a subscriber knows that has it
 */
export function eventOf(operation: string, body: Buffer, state: LiveState): LiveEvent {
  const known = made.get(body);
  if (known) return known;
  const event = eventOfText(body.toString().trimEnd(), writeCursor(operation, state));
  made.set(body, event);
  return event;
}

/** @param json of a result without extensions */
export function eventOfText(json: string, cursor: string | undefined): LiveEvent {
  const text = cursor === undefined ? json : `${json.slice(0, -1)},"extensions":{"cursor":"${cursor}"}}`;
  let result: ExecutionResult | undefined;
  return {
    text,
    cursor,
    get result() {
      result ??= withErrors(JSON.parse(text));
      return result;
    },
  };
}

/** The errors as graphql-js has them, which the library of the protocol writes. */
function withErrors({ errors, ...rest }: { errors?: readonly GraphQLFormattedError[] }): ExecutionResult {
  return errors ? { ...rest, errors: errors.map(asError) } : rest;
}

function asError({ message, path, locations, extensions }: GraphQLFormattedError): GraphQLError {
  const error = new GraphQLError(message, { ...(path && { path }), ...(extensions && { extensions }) });
  if (locations) Object.defineProperty(error, 'locations', { value: locations, enumerable: true });
  return error;
}
