// Takes the pictures of docs/images from a service that runs on the demo database, and answers
// requests meanwhile. It fills the last hours of that database with made-up minutes:
//   DATABASE_URL=$(npm run --silent db:url) TOKEN=$(npm run --silent token -- --role OPERATOR) \
//     node --import @oxc-node/core/register test/ops/take-screenshots.ts http://127.0.0.1:4000
import { type BrowserContextOptions, chromium } from 'playwright-core';
import { addMinute } from '../../src/deployment/minute.repository.ts';
import { LatencyHistogram } from '../../src/latency-histogram.ts';
import { findChromium } from '../support/chromium.ts';
import { withClient } from '../support/postgres.ts';

const MINUTE_MS = 60_000;
const MINUTES = 180;
const WIDE = { viewport: { width: 1280, height: 1130 } };
const PICTURES: Readonly<Record<string, BrowserContextOptions>> = {
  'ops-light': WIDE,
  'ops-dark': { ...WIDE, colorScheme: 'dark' },
  'ops-phone': { viewport: { width: 360, height: 760 }, isMobile: true, deviceScaleFactor: 2 },
};

const [url = 'http://127.0.0.1:4000'] = process.argv.slice(2);
const { DATABASE_URL = '', TOKEN = '' } = process.env;

await withClient(DATABASE_URL, async (client) => {
  await client.query('TRUNCATE service_minutes');
  for (let ago = MINUTES; ago > 0; ago--) await addMinute(client, ago * MINUTE_MS, minuteOf(ago));
});
const executablePath = findChromium();
const browser = await chromium.launch({ ...(executablePath && { executablePath }) });
for (const [name, options] of Object.entries(PICTURES)) {
  const context = await browser.newContext(options);
  await context.addInitScript((token) => sessionStorage.setItem('tenantry-operator-token', token), TOKEN);
  const page = await context.newPage();
  await page.goto(`${url}/ops`);
  await page.getByText(/^(All is well|All works|Something is wrong)/).waitFor();
  await page.screenshot({ path: `docs/images/${name}.png` });
  await context.close();
}
await browser.close();

/** A morning that grows busy, a deployment in it, and a slow statement. */
function minuteOf(ago: number) {
  const requests = Math.round(420 - ago * 1.1 + 50 * Math.sin(ago / 17) + 40 * Math.random());
  const isDeployment = ago > 70 && ago < 75;
  const misses = Math.round(requests * (isDeployment ? 0.6 : 0.12 + 0.05 * Math.random()));
  const bypasses = Math.round(requests * 0.05);
  const [latency, hitLatency] = [new LatencyHistogram(), new LatencyHistogram()];
  for (let at = 0; at < requests; at++) {
    const isHit = at >= misses;
    const durationMs = (isHit ? 0.5 : 7) * Math.exp(0.8 * (Math.random() + Math.random() + Math.random() - 1.5));
    latency.record(ago === 31 && at % 50 === 0 ? 480 : durationMs);
    if (isHit) hitLatency.record(durationMs);
  }
  return {
    ...{ processes: 2, requests, hits: requests - misses - bypasses, misses, bypasses, latency, hitLatency },
    errors: Math.random() < 0.15 ? 1 + Math.round(2 * Math.random()) : 0,
    refusals: ago === 31 ? 7 : 0,
    statements: misses * 2,
    databaseMs: misses * (4 + Math.random()) + (ago === 31 ? 900 : 0),
    untrusted: false,
  };
}
