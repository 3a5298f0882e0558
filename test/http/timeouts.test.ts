import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startService, type TestService } from '../support/service.ts';

const CONNECTIONS = 50;

let service: TestService;
beforeAll(async () => {
  service = await startService({ env: { HTTP_REQUEST_TIMEOUT_MS: '200', HTTP_IDLE_TIMEOUT_MS: '200' } });
});
afterAll(() => service.close());

/**
 * Sends a beginning and nothing more. @returns what came until the service closed the connection
 */
async function begin(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (data) => {
    received += data;
  });
  socket.write(bytes);
  await once(socket, 'close');
  return received;
}

const HEAD = 'POST /graphql HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: 100\r\n';

test.each([
  ['half a request line', 'POST /gra', /^HTTP\/1.1 408/],
  ['half of the headers', HEAD, /^HTTP\/1.1 408/],
  ['half of a body', `${HEAD}\r\n{"query":`, /^HTTP\/1.1 408/],
  ['a whole request and then nothing', 'GET /health/live HTTP/1.1\r\nhost: test\r\n\r\n', /^HTTP\/1.1 200/],
])('connections that send %s are closed', async (_what, bytes, answered) => {
  for (const answer of await Promise.all(Array.from({ length: CONNECTIONS }, () => begin(bytes))))
    expect(answer).toMatch(answered);
});
