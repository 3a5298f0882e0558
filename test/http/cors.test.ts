import { expect, it } from 'vitest';
import { startService } from '../support/service.ts';

it('lets pages of the named sites ask, and no others', async () => {
  const service = await startService({ env: { CORS_ORIGINS: 'https://app.example.com' } });
  const preflight = (origin: string) =>
    fetch(`${service.url}/graphql`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
  const [own, foreign] = [await preflight('https://app.example.com'), await preflight('https://evil.example.com')];
  expect(own.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
  expect(own.headers.get('access-control-allow-headers')).toBe('authorization,content-type');
  expect(own.headers.get('access-control-allow-credentials')).toBeNull();
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  await service.close();
});

it('lets no page of another site read the pages that may hold a token', async () => {
  const service = await startService({ env: { CORS_ORIGINS: '*' } });
  for (const path of ['/graphiql', '/graphql']) {
    const headers = { origin: 'https://other.example.com', accept: 'text/html' };
    const page = await fetch(`${service.url}${path}`, { headers });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('access-control-allow-origin')).toBeNull();
    expect(page.headers.get('cross-origin-resource-policy')).toBe('same-origin');
    await page.arrayBuffer();
  }
  await service.close();
});
