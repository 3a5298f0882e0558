import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';

import { firstMarker } from './marker-ledger.ts';
import { SoakTraffic } from './soak-traffic.ts';

const TENANTS = [0, 1, 2, 3].map((tenant) => ({
  id: `tenant-${tenant}`,
  accountId: `account-${tenant}`,
  token: String(tenant),
}));

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/**
 * What the soak must find is put into a server that stands for the service. @param read the marker
 * a read is answered with
 */
async function soakOf(read: (tenant: number, markers: number[]) => { id: number; marker: number }) {
  const markers = TENANTS.map((_, tenant) => firstMarker(tenant));
  const server = createServer(async (request, response) => {
    const tenant = Number(request.headers.authorization?.slice('Bearer '.length));
    let body = '';
    for await (const chunk of request) body += chunk;
    const written = () => {
      markers[tenant] = (markers[tenant] ?? 0) + 1;
      return { id: tenant, marker: markers[tenant] };
    };
    const { id, marker } = body.includes('"query":"mutation') ? written() : read(tenant, markers);
    const values = ['amount', 'balance', 'inflow', 'balanceAfter'].map((name) => [name, `${marker}.0000`]);
    const answer = JSON.stringify({ data: { tenant: { id: `tenant-${id}` }, ...Object.fromEntries(values) } });
    response.setHeader('content-length', Buffer.byteLength(answer)).end(answer);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const options = { tenants: TENANTS, servers: [{ port }, { port }], connections: 4, reads: 1_500 };
  const traffic = new SoakTraffic({ ...options, untilMs: Infinity, mayBreak: false });
  await traffic.run();
  return traffic;
}

test('nothing is found in answers that show every write', async () => {
  const { counts, findings } = await soakOf((id, markers) => ({ id, marker: markers[id] ?? 0 }));
  expect(counts).toMatchObject({ stale: 0, foreign: 0, brokenConnections: 0 });
  expect(counts.reads).toBeGreaterThanOrEqual(1_500);
  expect(counts.writes).toBeGreaterThan(0);
  expect(findings).toEqual([]);
});

test('answers that lack an acknowledged write are found', async () => {
  const { counts, findings } = await soakOf((id) => ({ id, marker: firstMarker(id) }));
  expect(counts.stale).toBeGreaterThan(0);
  expect(counts.foreign).toBe(0);
  expect(findings[0]).toMatchObject({ verdict: 'stale', marker: firstMarker(findings[0]?.tenant ?? 0) });
});

test("answers with another tenant's id, or with its numbers under the own id, are found", async () => {
  const ofAnother = await soakOf(() => ({ id: 0, marker: firstMarker(0) }));
  expect(ofAnother.counts.foreign).toBeGreaterThan(500);
  expect(ofAnother.findings[0]).toMatchObject({ verdict: 'foreign', marker: null });
  const mixedUp = await soakOf((id) => ({ id, marker: firstMarker(0) }));
  expect(mixedUp.findings[0]).toMatchObject({ verdict: 'foreign', marker: firstMarker(0) });
});

test('an answer that is an error ends the soak', async () => {
  const refusing = createServer((_request, response) =>
    response.writeHead(503, { 'content-length': 4 }).end('busy'),
  ).listen(0, '127.0.0.1');
  servers.push(refusing);
  await new Promise((resolve) => refusing.once('listening', resolve));
  const { port } = refusing.address() as AddressInfo;
  const options = { tenants: TENANTS, servers: [{ port }], connections: 2, reads: 10, untilMs: Infinity };
  await expect(new SoakTraffic({ ...options, mayBreak: true }).run()).rejects.toThrow('503');
});
