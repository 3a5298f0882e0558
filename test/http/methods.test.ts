import { expect, it } from 'vitest';
import { startService } from '../support/service.ts';

it('names the methods it takes where it is asked by another', async () => {
  const service = await startService();
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    const response = await fetch(`${service.url}/graphql`, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST']);
  }
  await service.close();
});
