import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { GraphQLFormattedError } from 'graphql';
import type { LoadedAnswer } from '../cache/response/answer.ts';

/** What a record can hold, and a log line shows as it is. */
const REQUEST_ID = /^[\w.:/+=-]{1,100}$/;

/** Of this process. With a count it makes ids for a third of a UUID's time, once for every hit. */
const PROCESS = randomBytes(9).toString('base64url');
let made = 0;

/**
 * By which a request is found in its answer, the log, the audit log and traces: the client's own
 * `x-request-id`, where it is one that a record can hold, else a new one.
 */
export function requestIdOf({ 'x-request-id': given }: IncomingHttpHeaders): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : newRequestId();
}

/** No other process, and no other request of this one, has the same. */
export function newRequestId(): string {
  return `${PROCESS}-${(++made).toString(36)}`;
}

/**
 * The answer with the id in `extensions.requestId` of each error; without errors as it is. Made when
 * it is sent: requests that waited for the same load have the same errors, and an id each.
 */
export function withRequestId<Loaded extends LoadedAnswer>(answer: Loaded, requestId: string): Loaded {
  // Apollo Server refuses some requests with plain text.
  if (answer.errorCode === undefined || !answer.headers['content-type']?.includes('json')) return answer;
  const { errors = [], ...rest } = JSON.parse(answer.body.toString()) as { readonly errors?: GraphQLFormattedError[] };
  const told = errors.map((error) => ({ ...error, extensions: { ...error.extensions, requestId } }));
  return { ...answer, body: Buffer.from(`${JSON.stringify({ errors: told, ...rest })}\n`) };
}
