import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { GraphQLFormattedError } from 'graphql';
import type { LoadedAnswer } from '../cache/response/answer.ts';
import { namingRequest } from '../graphql/format-error.ts';

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
 * The answer, whose errors name this request. They were made for another one where that was waited
 * for; only then are they written again.
 */
export function withRequestId(answer: LoadedAnswer, requestId: string): LoadedAnswer {
  if (answer.errorCode === undefined || answer.requestId === requestId) return answer;
  const { errors = [], ...rest } = JSON.parse(answer.body.toString()) as { readonly errors?: GraphQLFormattedError[] };
  const told = errors.map((error) => namingRequest(error, requestId));
  return { ...answer, body: Buffer.from(`${JSON.stringify({ errors: told, ...rest })}\n`) };
}
