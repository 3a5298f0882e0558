import { createInterface } from 'node:readline';

import { EngineError, requestError } from './errors.mjs';
import { log } from './log.mjs';
import { createMethods } from './methods.mjs';

/** @typedef {import('./session.mjs').Session} Session */

/**
 * @typedef {object} Request
 * @property {number | string} id
 * @property {string} [method] absent in Prisma's answers to our own `print`
 * @property {unknown} [params]
 */

/** The one code that the native engine uses; what went wrong stands in `data`. */
const ERROR_CODE = 4466;

/**
 * Answers JSON-RPC requests, one a line, one after another, until the input ends.
 * @param {Session} session
 * @param {NodeJS.ReadableStream} input
 * @param {NodeJS.WritableStream} output
 */
export async function serve(session, input, output) {
  const send = (/** @type {object} */ message) => output.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  let prints = 0;
  const print = (/** @type {string} */ content) =>
    send({ id: `print-${++prints}`, method: 'print', params: { content } });
  const methods = createMethods(session, print);
  log('INFO', 'Starting schema engine RPC server');
  for await (const line of createInterface({ input })) {
    /** @type {Request} */
    const { id, method, params } = JSON.parse(line);
    if (method) send({ id, ...(await answer(session, methods, method, params)) });
  }
}

/**
 * @param {Session} session
 * @param {Map<string, import('./methods.mjs').Method>} methods
 * @param {string} name
 * @param {unknown} params
 */
async function answer(session, methods, name, params) {
  try {
    const method = methods.get(name);
    if (!method) throw new EngineError(undefined, `There is no method ${name}.`);
    return { result: (await method(params)) ?? null };
  } catch (error) {
    const { code, message } = requestError(error, session.scriptFailure);
    const data = { is_panic: false, message, ...(code && { error_code: code }), meta: null };
    return { error: { code: ERROR_CODE, message: 'An error happened. Check the data field for details.', data } };
  }
}
