import { isDeepStrictEqual } from 'node:util';

import type { HttpAnswer } from './http-answer.ts';
import { LoadConnection } from './load-connection.ts';
import type { LoadRequest } from './load-job.ts';
import type { Server } from './servers.ts';
import { type OperationName, requestOf, type Surroundings } from './subjects.ts';

/** Long enough to tell an answer from an error; the tenant's own data begin soon after. */
const START_BYTES = 48;
/** Of so many tenants, spread over the sizes, the servers' answers are compared as a whole. */
const COMPARED_TENANTS = 5;

/** One answer for each tenant, in the tenants' order. @throws when one is not 200 or has errors */
export function askAll(server: Server, operation: OperationName, surroundings: Surroundings): Promise<Buffer[]> {
  const { tenants, dataSet } = surroundings;
  return ask(
    server.port,
    tenants.map((tenant) => requestOf(operation, server.port, tenant, dataSet)),
  );
}

/**
 * Sends requests one after the other. @returns the bodies. @throws when an answer is not 200 or has
 * errors
 */
export async function ask(port: number, requests: readonly Buffer[]): Promise<Buffer[]> {
  const bodies: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    const done = (answer: HttpAnswer) => void bodies.push(Buffer.from(dataOf(answer)));
    const next = () => {
      const bytes = requests[bodies.length];
      return bytes && { bytes, done };
    };
    new LoadConnection(port, next, (error) => (error ? reject(error) : resolve()));
  });
  return bodies;
}

/** The requests of a case, and by what their answers are known. */
export function loadRequests(
  server: Server,
  operation: OperationName,
  answers: readonly Buffer[],
  surroundings: Surroundings,
): LoadRequest[] {
  return surroundings.tenants.map((tenant, index) =>
    loadRequest(requestOf(operation, server.port, tenant, surroundings.dataSet), answers[index] ?? Buffer.alloc(0)),
  );
}

/** A request whose answers must be as long as this one and begin like it. */
export function loadRequest(bytes: Buffer, answer: Buffer): LoadRequest {
  return { bytes, expectedStart: answer.subarray(0, START_BYTES), expectedBytes: answer.length };
}

/** A comparison of servers that answer different things would say nothing. @throws when they do */
export function refuseDifferent(name: string, answers: readonly Buffer[], reference: readonly Buffer[]): void {
  for (let sample = 0; sample < COMPARED_TENANTS; sample++) {
    const index = Math.floor((sample * (reference.length - 1)) / (COMPARED_TENANTS - 1));
    const [own, expected] = [answers[index], reference[index]].map((body) => JSON.parse(String(body)));
    if (!isDeepStrictEqual(own, expected))
      throw new Error(`${name} answers other than the service:\n${answers[index]}\nand not\n${reference[index]}`);
  }
}

/** The body of an answer. @throws when it is not 200, or has errors */
export function dataOf({ status, head, body }: HttpAnswer): Buffer {
  if (status === 200 && body.toString('latin1', 0, 7) === '{"data"') return body;
  throw new Error(`expected data, but got:\n${head}\n\n${body.toString('utf8', 0, 1_000)}`);
}
