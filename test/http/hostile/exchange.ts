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

/** Sends one request over a connection of its own, with a token, and reads until the service closes it. */
export async function exchange(url: string, token: string, request: RawRequest): Promise<RawAnswer> {
  const { target = '/graphql', method = 'POST', headers = [], body = '' } = request;
  const bytes = Buffer.from(body as string);
  const lines = [
    `${method} ${target} HTTP/1.1`,
    'host: test',
    'connection: close',
    `authorization: Bearer ${token}`,
    ...(bytes.length > 0 ? [`content-length: ${bytes.length}`] : []),
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]));
  await once(socket, 'close');
  const text = Buffer.concat(chunks).toString('latin1');
  const [head = '', ...rest] = text.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head, body: rest.join('\r\n\r\n') };
}

/** The value of a header of an answer. */
export function headerOf({ head }: RawAnswer, name: string): string | undefined {
  const line = head.split('\r\n').find((line) => line.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}
