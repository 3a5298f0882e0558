import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OpenConnections } from '../../src/http/draining.ts';

const GRACE_MS = 1_000;
const REQUEST_MS = 5_000;
/** More than the system takes at once. */
const LONG = Buffer.alloc(64 * 1024 * 1024);
/** Less than that, and more than it waits for until it takes some more. */
const PIECE = 4 * 1024 * 1024;

let server: Server;
let connections: OpenConnections;
let client: Socket;
let served: Socket;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  server = createServer((_request, response) => response.end(LONG)).listen(0, '127.0.0.1');
  connections = new OpenConnections(server);
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {});
  await once(client, 'connect');
  [served] = (await accepted) as [Socket];
});
afterEach(async () => {
  vi.useRealTimers();
  client.destroy();
  served.destroy();
  server.close();
});

function close(): void {
  server.close();
  connections.closeStalled(GRACE_MS, REQUEST_MS);
}

/** The server looks once more after it. */
const pass = () => vi.advanceTimersByTime(GRACE_MS);

/** What the server has not got rid of. */
function unsent(): number {
  return (served as Socket & { _handle?: { writeQueueSize: number } })._handle?.writeQueueSize ?? 0;
}

async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise((done) => setImmediate(done));
}

/** Reads so much, and no more. */
async function read(bytes: number): Promise<void> {
  for (let left = bytes; left > 0; ) {
    const chunk: Buffer | null = client.read(Math.min(left, client.readableLength || 1));
    if (chunk) left -= chunk.length;
    else await once(client, 'readable');
  }
}

test('a client that reads its answer slowly is waited for, until it stops', async () => {
  client.pause().write('GET / HTTP/1.1\r\nhost: test\r\n\r\n');
  await until(() => unsent() > 0);
  close();
  for (let times = 0; times < 8; times++) {
    const before = unsent();
    await read(PIECE);
    await until(() => unsent() < before);
    pass();
    expect(served.destroyed).toBe(false);
  }
  await until(() => {
    pass();
    return served.destroyed;
  });
});

test('an answer under way is sent whole, and then its connection is closed at once', async () => {
  client.pause().write('GET / HTTP/1.1\r\nhost: test\r\n\r\n');
  await until(() => unsent() > 0);
  close();
  await read(LONG.length);
  await until(() => served.destroyed);
});

test('a client that sends its request slowly has as long as any', async () => {
  const sent = async (bytes: string) => {
    const before = served.bytesRead;
    client.write(bytes);
    await until(() => served.bytesRead === before + bytes.length);
  };
  await sent('POST / HTTP/1.1\r\nhost: test\r\n');
  close();
  for (let ms = GRACE_MS; ms < REQUEST_MS; ms += GRACE_MS) {
    await sent('a');
    pass();
    expect(served.destroyed).toBe(false);
  }
  await sent('a');
  pass();
  expect(served.destroyed).toBe(true);
});

test('a client that sends nothing more is waited for twice that long at most', async () => {
  client.write('POST / HTTP/1.1\r\n');
  await until(() => served.bytesRead > 0);
  close();
  expect(served.destroyed).toBe(false);
  pass();
  expect(served.destroyed).toBe(true);
});
