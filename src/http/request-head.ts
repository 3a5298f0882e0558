import type { IncomingMessage } from 'node:http';
import type { GraphQLError } from 'graphql';
import { badRequest } from '../errors.ts';

/** Each is read, and handed on to Apollo Server. Apache's own limit (`LimitRequestFields`). */
const MAX_HEADER_FIELDS = 100;

/** No route reads a body of these, and nobody pays for one. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** Why a request is refused by its head alone, whatever it asks for. */
export function refusalOfHead(request: IncomingMessage): GraphQLError | undefined {
  const fields = request.rawHeaders.length / 2;
  if (fields > MAX_HEADER_FIELDS)
    return badRequest(
      `A request may have at most ${MAX_HEADER_FIELDS} header fields, but it has ${fields}. Send fewer.`,
      431,
    );
  const { method = '' } = request;
  if (request.headers['transfer-encoding'] !== undefined && BODILESS.has(method))
    return badRequest(`A request by ${method} has no body. Leave out Transfer-Encoding.`);
  // Node.js would refuse it, too, but with an answer that has no body.
  if (request.httpVersion === '1.1' && request.headers.host === undefined)
    return badRequest('A request of HTTP/1.1 must have the header Host, but it has none.');
  return undefined;
}
