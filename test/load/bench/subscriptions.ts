import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import WebSocket from 'ws';
import type { Progress } from '../../../src/cli/progress.ts';
import { percentile } from './percentile.ts';
import { type KnownTenant, SUBJECTS, type Surroundings } from './subjects.ts';

const SUBSCRIBERS = 2_000;
/** At a time, as long as all are opened. */
const OPENED_TOGETHER = 50;
/** With a heartbeat of each. */
const IDLE_MS = 40_000;
const WRITES = 300;
/** Between two writes to one account more than the least gap of its events passes. */
const MAX_PAUSE_MS = 30;

const QUERY = 'subscription Account($id: ID!) { accountChanged(id: $id) { balance } }';
/** One transaction past the API. $1 tenant, $2 account. */
const WRITE = 'UPDATE bank_accounts SET balance = balance + 1 WHERE tenant_id = $1 AND id = $2 RETURNING balance::text';

/** What idle subscribers cost, and how late they are told. */
export interface SubscriptionsResult {
  readonly transport: keyof typeof TRANSPORTS;
  readonly subscribers: number;
  /** Of the process, beside what it had before. */
  readonly memoryBytes: number;
  /** That all of them together are sent while nothing changes. */
  readonly bytesPerSecond: number;
  /** From the COMMIT of a write past the API until the event has come. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Subscriber {
  readonly bytes: () => number;
  /** Called with whatever comes. */
  onText: (text: string) => void;
  close(): void;
}

type Open = (port: number, tenant: KnownTenant) => Promise<Subscriber>;

const TRANSPORTS = { 'server-sent events': bySse, WebSocket: byWebSocket } satisfies Record<string, Open>;

export async function measureSubscriptions(
  surroundings: Surroundings,
  progress: Progress,
): Promise<SubscriptionsResult[]> {
  const results: SubscriptionsResult[] = [];
  for (const [transport, open] of Object.entries(TRANSPORTS)) {
    const server = await SUBJECTS.redis.start(surroundings, new Map());
    const cost = await costOf(surroundings, server, open, progress);
    results.push({ transport: transport as keyof typeof TRANSPORTS, subscribers: SUBSCRIBERS, ...cost });
    await server.stop();
  }
  return results;
}

async function costOf(
  { tenants, database }: Surroundings,
  { port, pid }: { readonly port: number; readonly pid: number },
  open: Open,
  progress: Progress,
): Promise<Omit<SubscriptionsResult, 'transport' | 'subscribers'>> {
  const tenantOf = (index: number) => tenants[index % tenants.length] as KnownTenant;
  const first = await open(port, tenantOf(0)); // what the first of all brings along
  await delay(5_000);
  const before = residentBytes(pid);
  const subscribers: Subscriber[] = [];
  while (subscribers.length < SUBSCRIBERS) {
    const opening = Array.from({ length: OPENED_TOGETHER }, (_, n) => open(port, tenantOf(subscribers.length + n)));
    subscribers.push(...(await Promise.all(opening)));
    progress.update(() => `${subscribers.length} subscribers`);
  }
  const bytes = () => subscribers.reduce((sum, subscriber) => sum + subscriber.bytes(), 0);
  await delay(5_000);
  const bytesBefore = bytes();
  progress.update(() => `${subscribers.length} idle subscribers for ${IDLE_MS / 1_000} s`);
  await delay(IDLE_MS);
  const bytesPerSecond = (bytes() - bytesBefore) / (IDLE_MS / 1_000);
  const memoryBytes = residentBytes(pid) - before;
  const delaysMs = new Float64Array(WRITES);
  for (let write = 0; write < WRITES; write++) {
    progress.update(() => `write ${write + 1} of ${WRITES} past the API`);
    const index = write % tenants.length;
    const { id, accountId } = tenantOf(index);
    const subscriber = subscribers[index] as Subscriber;
    let text = '';
    let arrived = () => {};
    subscriber.onText = (more) => {
      text += more;
      arrived();
    };
    const { rows } = await database.client.query<{ balance: string }>({ text: WRITE, values: [id, accountId] });
    const committedMs = performance.now();
    while (!text.includes(`"${rows[0]?.balance}"`))
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
    delaysMs[write] = performance.now() - committedMs;
    await delay(Math.random() * MAX_PAUSE_MS);
  }
  for (const subscriber of [first, ...subscribers]) subscriber.close();
  delaysMs.sort();
  return { memoryBytes, bytesPerSecond, p50Ms: percentile(delaysMs, 0.5), p99Ms: percentile(delaysMs, 0.99) };
}

async function bySse(port: number, { token, accountId }: KnownTenant): Promise<Subscriber> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  const body = JSON.stringify({ query: QUERY, variables: { id: accountId } });
  const head = [
    ...['POST /graphql HTTP/1.1', 'host: bench', 'accept: text/event-stream', 'content-type: application/json'],
    ...[`authorization: Bearer ${token}`, `content-length: ${body.length}`],
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  const subscriber = {
    bytes: () => socket.bytesRead,
    onText: (_text: string) => {},
    close: () => void socket.destroy(),
  };
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.on('data', (text: unknown) => {
      subscriber.onText(String(text));
      if (String(text).includes('event: next')) resolve();
      else if (/^HTTP\/1.1 [^2]/.test(String(text))) reject(new Error(String(text)));
    });
  });
  return subscriber;
}

async function byWebSocket(port: number, { token, accountId }: KnownTenant): Promise<Subscriber> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', { perMessageDeflate: false });
  await once(socket, 'open');
  const { _socket: below } = socket as WebSocket & { _socket: { bytesRead: number } };
  const subscriber = { bytes: () => below.bytesRead, onText: (_text: string) => {}, close: () => socket.terminate() };
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
  await once(socket, 'message');
  const payload = { query: QUERY, variables: { id: accountId } };
  socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload }));
  const [message] = await once(socket, 'message');
  if (JSON.parse(String(message)).type !== 'next') throw new Error(String(message));
  socket.on('message', (data) => subscriber.onText(String(data)));
  return subscriber;
}

function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(kibibytes) * 1024;
}
