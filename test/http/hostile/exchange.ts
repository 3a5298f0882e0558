import { once } from 'node:events';
import { connect } from 'node:net';

/** A request as its bytes: nothing is encoded, completed or corrected on the way. */
export interface RawRequest {
  /** What stands between the method and the version. */
  readonly target?: string;
  readonly method?: string;
  /** Names and values, as they are sent; a name may come twice. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Buffer;
}

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/**
 * Sends one request over a connection of its own, with a token, and reads until the service closes
 * it.
 */
export async function exchange(url: string, token: string | null, request: RawRequest): Promise<RawAnswer> {
  const text = (await exchangeBytes(url, [bytesOf(token, request)])).toString('latin1');
  const [head = '', ...rest] = text.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head, body: rest.join('\r\n\r\n') };
}

/** @param isLast whether the service is asked to close the connection after the answer */
export function bytesOf(token: string | null, request: RawRequest, isLast = true): Buffer {
  const { target = '/graphql', method = 'POST', headers = [], body = '' } = request;
  const bytes = Buffer.from(body as string);
  const lines = [
    `${method} ${target} HTTP/1.1`,
    'host: test',
    ...(isLast ? ['connection: close'] : []),
    ...(token === null ? [] : [`authorization: Bearer ${token}`]),
    ...(bytes.length > 0 ? [`content-length: ${bytes.length}`] : []),
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

/**
 * Writes pieces over a connection of their own, each when the one before is out, and reads until
 * the service closes it.
 * @returns all that came: nothing where the service hung up without a word
 */
export async function exchangeBytes(url: string, pieces: readonly (string | Buffer)[], ends = false): Promise<Buffer> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  // Who refuses a request by its head does not read the rest, and the system says so to who still
  // writes.
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') throw error;
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const written = (async () => {
    for (const piece of pieces) if (socket.writable) await new Promise((done) => socket.write(piece, 'latin1', done));
    if (ends) socket.end();
  })();
  await Promise.all([closed, written]);
  return Buffer.concat(chunks);
}

/** The answers that came over one connection, one after another. */
export function answersIn(bytes: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let rest = bytes.toString('latin1'); rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) throw new Error(`an answer without the end of its head: ${rest.slice(0, 200)}`);
    const head = rest.slice(0, end);
    const status = Number(head.split(' ')[1]);
    const length = headerOf({ head }, 'content-length');
    // Without a length the body goes on to the end of the connection.
    const size = length === undefined ? (status < 200 || status === 304 ? 0 : rest.length) : Number(length);
    answers.push({ status, head, body: rest.slice(end + 4, end + 4 + size) });
    if (status === 101) break; // what follows is of another protocol
    rest = rest.slice(end + 4 + size);
  }
  return answers;
}

/** The value of a header of an answer. */
export function headerOf({ head }: Pick<RawAnswer, 'head'>, name: string): string | undefined {
  const line = head.split('\r\n').find((line) => line.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}
