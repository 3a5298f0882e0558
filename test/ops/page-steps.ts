import axe from 'axe-core';
import type { Page, Request } from 'playwright-core';

export function asksFor(request: Request, operation: string): boolean {
  return request.postData()?.includes(`query ${operation}`) ?? false;
}

/**
 * Keeps the next answer to an operation from the page.
 * @returns a promise of the request, and what lets the answer go and waits until it would be seen
 */
export async function holdNext(page: Page, operation: string) {
  const asked = page.waitForRequest((request) => asksFor(request, operation));
  let go = () => {};
  const isLetGo = new Promise<void>((resolve) => {
    go = resolve;
  });
  let isHeld = false;
  await page.route('**/graphql', async (route) => {
    if (isHeld || !asksFor(route.request(), operation)) return route.fallback();
    isHeld = true;
    const response = await route.fetch();
    await isLetGo;
    await route.fulfill({ response });
  });
  return {
    asked,
    letGo: async () => {
      const request = await asked;
      go();
      await request.response();
      await drawn(page);
    },
  };
}

/** What two processes counted in three minutes before this test, and in one five hours ago. */
export const MINUTES = `
  INSERT INTO service_minutes (minute, start, processes, requests, hits, misses, bypasses, errors, refusals, statements,
    database_ms, untrusted, latency, latency_ms, latency_max_ms, hit_latency, hit_latency_ms, hit_latency_max_ms)
  SELECT floor(extract(epoch FROM start) / 60)::bigint % 1440, start, 2, 100, hits, 15, 5, 1, 2, 30, 75.5, false,
    '{}', 0, 0, '{}', 0, 0
    FROM (VALUES (2, 80), (3, 80), (4, 80), (300, 77)) AS past (ago, hits),
         LATERAL (SELECT date_trunc('minute', now()) - ago * interval '1 minute' AS start) AS minute`;

export const OWN_LIMIT = 200_000_000;
/** Half of what its limit allows in an hour; what the tests spend is not seen beside it. */
export const SPENT = `
  UPDATE tenants SET points_per_minute = ${OWN_LIMIT} WHERE slug = 'acme';
  INSERT INTO tenant_usage SELECT id, now() - interval '30 minutes', 1, 0, ${OWN_LIMIT * 30}, 0, 0, 0, '{}' FROM tenants WHERE slug = 'acme'`;

export const FIGURES = `{ performance(scope: DEPLOYMENT) {
  operations { name errors cacheHits latency { count p50 p95 p99 max } queries { model action sql plan advice } }
  tables { model verdict }
  tenants { slug pointsPerMinute hasOwnLimit }
  errors { status code count }
  cache { namespace hits misses }
} }`;

/** Of the row that begins with this name; without it. */
export async function cellsOf(page: Page, region: string, name: string): Promise<string[]> {
  const row = page
    .getByRole('region', { name: region, exact: true })
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name, exact: true }) });
  return row.getByRole('cell').allInnerTexts();
}

/** Presses Refresh, and waits until all is read anew. */
export async function refresh(page: Page): Promise<void> {
  const answers = ['OpsFigures', 'OpsMinutes'].map((operation) =>
    page.waitForResponse((response) => asksFor(response.request(), operation)),
  );
  await page.getByRole('button', { name: 'Refresh' }).click();
  await Promise.all(answers);
  await drawn(page);
}

async function drawn(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/**
 * What axe finds.
 * @param rules all when absent
 */
export async function faultsOf(page: Page, ...rules: string[]): Promise<string[]> {
  await page.evaluate(`globalThis.axe ?? (() => { ${axe.source} })()`);
  const { violations } = await page.evaluate(
    (only) => (globalThis as unknown as { axe: typeof axe }).axe.run(only.length > 0 ? { runOnly: only } : {}),
    rules,
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 150)).join(' | ')}`);
}
