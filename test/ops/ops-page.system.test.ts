import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { createTokenIssuer } from '../../src/auth/token-issuer.ts';
import { readConfig } from '../../src/config/config.ts';
import { buildOpsPage } from '../support/built.ts';
import { describeWithBrowser, findChromium } from '../support/chromium.ts';
import { insertTenant } from '../support/fixtures.ts';
import { MAIN_SECRET } from '../support/main-process.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { redisAvailable, startRedis, type TestRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { asksFor, cellsOf, FIGURES, faultsOf, holdNext, MINUTES, OWN_LIMIT, refresh, SPENT } from './page-steps.ts';

const MAX_BYTES = 150_000;
const HOSTILE = '<img src=x onerror="document.title=1">';
const LONG_NAME = 'Known'.repeat(10);
const KNOWN = '{ accounts(first: 3) { totalCount nodes { accountNumber balance } } }';
const WARNED = 'All works, with 1 warning.';
const OPERATIONS = ['OpsFigures', 'OpsMinutes', 'OpsFindings'];
const MOST_TABS = 100;
const WIDE = { width: 1280, height: 720 };
const PHONE = { width: 360, height: 740 };

describeWithBrowser('The page for operators at /ops', () => {
  let database: TestDatabase;
  let redis: TestRedis | undefined;
  let way: TcpProxy;
  let service: TestService;
  let browser: Browser;
  let operator: string;
  /** For tests that only read. What they open, sort or choose on it stays. */
  let signedIn: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    await buildOpsPage();
    database = await createTestDatabase();
    redis = redisAvailable() ? await startRedis() : undefined;
    const url = new URL(database.url);
    way = await startTcpProxy(Number(url.port));
    url.port = String(way.port);
    service = await startService({
      database: { ...database, url: url.href },
      checksHealth: true,
      env: { AUTH_SECRET: MAIN_SECRET, SLOW_QUERY_MS: '0', ...(redis && { REDIS_URL: redis.url }) },
      examine: async () => [
        { name: 'login', status: 'ok', found: 'nothing to tell', remedy: '' },
        { name: 'outbox of writes', status: 'warning', found: `it has ${HOSTILE}`, remedy: 'Run: npm run doctor.' },
      ],
    });
    await insertTenant(database.url, { slug: 'acme' });
    await withClient(database.url, (client) => client.query(`${MINUTES}; ${SPENT}`));
    const admin = await service.token(Role.ADMIN, 'acme');
    for (const _ of ['miss', 'hit', 'hit']) await service.send(admin, `query ${LONG_NAME} ${KNOWN}`);
    await service.send(admin, 'query Wrong { nothing }');
    operator = await service.token(Role.OPERATOR);
    // One plan is made at a time: it may have been another statement's.
    await until(async () => {
      await service.send(admin, 'mutation { invalidateCache(input: {}) { namespaces } }');
      await service.send(admin, `query Again ${KNOWN}`);
      const { data } = await service.send(operator, FIGURES);
      const { queries } = data.performance.operations.find(({ name }: { name: string }) => name === LONG_NAME);
      return queries.some(({ advice }: { advice: string | null }) => advice !== null);
    });
    const executablePath = findChromium();
    browser = await chromium.launch({ ...(executablePath && { executablePath }) });
    signedIn = await openPage();
    await signIn(signedIn);
    await signedIn.getByText(WARNED).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await service?.close();
    await way?.close();
    await redis?.stop();
    await database?.drop();
  });
  afterEach(() => expect(problems.splice(0)).toStrictEqual([]));

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await openPage(options);
    onTestFinished(() => page.context().close());
    return page;
  }

  async function openPage(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: WIDE, ...options });
    const page = await context.newPage();
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      // What the browser says of an answer of 4xx or 5xx, and of none, is the page's to tell.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        problems.push(message.text());
      }
    });
    await page.goto(`${service.url}/ops`);
    return page;
  }

  async function signIn(page: Page, token = operator): Promise<void> {
    await page.getByLabel('Token of the role OPERATOR').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  async function openSignedIn(): Promise<Page> {
    const page = await open();
    await signIn(page);
    await page.getByText(WARNED).waitFor();
    return page;
  }

  /** Asks again until it is seen: what has happened shows some time later. */
  async function refreshUntil(page: Page, text: string): Promise<void> {
    const refresh = page.getByRole('button', { name: 'Refresh' });
    await expect
      .poll(async () => {
        if (await refresh.isVisible()) await refresh.click();
        return page.locator('body').innerText();
      })
      .toContain(text);
  }

  test('comes in few requests and bytes, all of this service', async () => {
    const page = await open();
    const sizes = await page.evaluate(() =>
      [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map((entry) => ({
        url: entry.name,
        bytes: (entry as PerformanceResourceTiming).transferSize,
      })),
    );
    expect(sizes.filter(({ url }) => !url.startsWith('data:')).map(({ url }) => new URL(url).origin)).toStrictEqual(
      Array(3).fill(service.url),
    );
    expect(sizes.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(MAX_BYTES);
  });

  test('asks for a token, says which role it needs, and shows nothing before', async () => {
    const page = await open();
    expect(await page.locator('.figures').count()).toBe(0);
    await page.getByText('npm run --silent token -- --role OPERATOR').waitFor();
    await signIn(page, await service.token(Role.ADMIN, 'acme'));
    await page.getByText('This is a token of the role ADMIN. The page needs one of the role OPERATOR.').waitFor();
    await signIn(page, `${operator}x`);
    await page.getByText('The service does not accept this token').waitFor();
    await signIn(page, 'ключ');
    await page.getByText('This is no token').waitFor();
    expect(await page.locator('.figures').count()).toBe(0);
  });

  test('keeps the token for the tab alone, over a reload, until it is signed out', async () => {
    const page = await openSignedIn();
    await page.reload();
    await page.getByText(WARNED).waitFor();
    const kept = await page.evaluate(() => [location.href, document.cookie, localStorage.length] as const);
    expect(kept).toStrictEqual([`${service.url}/ops`, '', 0]);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token of the role OPERATOR').waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    expect(await page.locator('.figures').count()).toBe(0);
  });

  test('shows the figures that `performance` gives', async () => {
    const page = signedIn;
    await refresh(page);
    const { data } = await service.send(operator, FIGURES);
    const { operations, errors, cache } = data.performance;
    const { latency, cacheHits, errors: failed } = operations.find(({ name }: { name: string }) => name === LONG_NAME);
    const row = await cellsOf(page, 'All operations', LONG_NAME);
    expect(row.slice(0, 2)).toStrictEqual(['3', '66.7%']);
    expect([latency.count, cacheHits, failed]).toStrictEqual([3, 2, Number(row[6])]);
    [latency.p50, latency.p95, latency.p99, latency.max].forEach((value: number, at) => {
      expect(Number(row[2 + at]?.replace(',', ''))).toBeCloseTo(value, value < 10 ? 1 : value < 100 ? 0 : -1);
    });
    const [error] = errors;
    expect(await cellsOf(page, 'Answers with errors', error.code)).toStrictEqual([`${error.status}`, `${error.count}`]);
    const accounts = cache.find(({ namespace }: { namespace: string }) => namespace === 'accounts');
    expect((await cellsOf(page, 'Cache by namespace', 'accounts')).slice(1, 3)).toStrictEqual([
      `${accounts.hits}`,
      `${accounts.misses}`,
    ]);
    for (const { model, verdict } of data.performance.tables.slice(0, 3))
      expect((await cellsOf(page, 'All tables', model)).at(-1)).toBe(verdict);
    const [tenant] = data.performance.tenants;
    expect(tenant).toMatchObject({ slug: 'acme', pointsPerMinute: OWN_LIMIT, hasOwnLimit: true });
    const [, , limit, share] = await cellsOf(page, 'Tenants by cost', 'acme');
    expect([limit, share]).toStrictEqual(['200M own', '50%']);
    expect(await page.getByRole('region', { name: 'Processes of the deployment' }).innerText()).toContain(
      `${process.pid}`,
    );
  });

  test('draws the minutes, has a table of each chart, and names the window of the figures', async () => {
    const page = signedIn;
    const tile = page.locator('.tile', { hasText: 'Requests a minute' });
    expect(await tile.innerText()).toMatch(/last \d minutes?, \d process/);
    // Where a minute ends between the two, they are of different ones.
    await expect
      .poll(async () => {
        await refresh(page);
        return (await tile.locator('.value').innerText()) === (await requestsAMinute());
      })
      .toBe(true);
    for (const title of ['Requests', 'Latency', 'Errors and refusals', 'SQL time']) {
      const chart = page.locator('figure.chart', { has: page.getByRole('heading', { name: title }) });
      await chart.getByRole('img').waitFor();
      await chart.getByText(/^Table/).press('Enter');
      await chart.getByRole('row').nth(3).waitFor();
    }
    const table = page.getByRole('region', { name: 'Requests by minute' });
    const rows = await Promise.all(
      (await table.getByRole('row').all()).map((row) => row.getByRole('cell').allInnerTexts()),
    );
    expect(rows.filter((cells) => cells.join() === '5,15,80')).toHaveLength(3);
    await page.getByText('24 h', { exact: true }).click();
    await page.getByText('Last 24 hours, all processes of the deployment.').first().waitFor();
  });

  test('opens an operation by the keyboard: its statements, and the indexes of their tables', async () => {
    const page = await open();
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('token');
    await page.keyboard.insertText(operator);
    await page.keyboard.press('Enter');
    const name = page.getByRole('button', { name: LONG_NAME });
    await name.waitFor();
    const isFocused = () => name.evaluate((it) => it === document.activeElement);
    for (let pressed = 0; pressed < MOST_TABS && !(await isFocused()); pressed++) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: LONG_NAME });
    await dialog.waitFor();
    const { data } = await service.send(operator, FIGURES);
    const { queries } = data.performance.operations.find((it: { name: string }) => it.name === LONG_NAME);
    const text = await dialog.innerText();
    expect(queries.length).toBeGreaterThan(0);
    expect(queries.some(({ advice }: { advice: string | null }) => advice !== null)).toBe(true);
    for (const { model, action, sql, advice } of queries) {
      if (advice) expect(text).toContain(`Index advice. ${advice}`);
      expect(text).toContain(`${model}.${action}`);
      expect(text.replace(/\s+/g, ' ')).toContain(sql.replace(/\s+/g, ' ').trim());
    }
    expect(text).toContain('bank_accounts_pkey');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await isFocused()).toBe(true);
  });

  /** Of the last five whole minutes. */
  async function requestsAMinute(): Promise<string> {
    const { data } = await service.send(operator, '{ performance { history(minutes: 10) { start requests } } }');
    const history: { start: string; requests: number }[] = data.performance.history;
    const end = Math.floor(Date.now() / 60_000) * 60_000;
    const last = history.map((it) => ({ ...it, age: end - Date.parse(it.start) }));
    const recent = last.filter(({ age }) => age > 0 && age <= 300_000);
    return String(Math.round(recent.reduce((sum, { requests }) => sum + requests, 0) / recent.length));
  }

  test('sorts a table by its headings', async () => {
    const table = signedIn.getByRole('region', { name: 'All operations' });
    const names = () => table.getByRole('rowheader').allInnerTexts();
    await table.getByRole('button', { name: 'Operation' }).click();
    expect(await names()).toStrictEqual((await names()).toSorted());
    await table.getByRole('button', { name: 'Operation' }).click();
    expect(await names()).toStrictEqual((await names()).toSorted().reverse());
    expect(await table.locator('[aria-sort=descending]').innerText()).toContain('Operation');
  });

  test("says the doctor's findings with their remedies, as text", async () => {
    const status = await signedIn.locator('.status').innerText();
    expect(status).toContain(`outbox of writes: it has ${HOSTILE}`);
    expect(status).toContain('Run: npm run doctor.');
    expect(status).not.toContain('nothing to tell');
    expect(await signedIn.locator('img').count()).toBe(0);
  });

  test('has labels, names and contrast for everybody, in light and in dark colours', async () => {
    const page = await open({ colorScheme: 'light', bypassCSP: true });
    const expectNoFaults = async () => {
      expect(await faultsOf(page)).toStrictEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await faultsOf(page, 'color-contrast')).toStrictEqual([]);
      await page.emulateMedia({ colorScheme: 'light' });
    };
    await expectNoFaults();
    await signIn(page);
    await page.getByText(WARNED).waitFor();
    for (const chart of await page.locator('figure.chart').all()) await chart.getByText(/^Table/).press('Enter');
    await expectNoFaults();
    await page.getByRole('button', { name: LONG_NAME }).click();
    await expectNoFaults();
  });

  test('fits a phone, and scrolls wide tables within themselves', async () => {
    const overflowOf = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await overflowOf(await open({ viewport: PHONE, isMobile: true }))).toBe(0);
    await signedIn.setViewportSize(PHONE);
    onTestFinished(() => signedIn.setViewportSize(WIDE));
    expect(await overflowOf(signedIn)).toBe(0);
    await signedIn.getByRole('button', { name: LONG_NAME }).click();
    expect(await overflowOf(signedIn)).toBe(0);
    await signedIn.keyboard.press('Escape');
  });

  test('asks for a token again when it expires while the page is open, and dims the figures', async () => {
    const issuer = createTokenIssuer(readConfig({ AUTH_SECRET: MAIN_SECRET }).auth, false);
    const expired = await issuer.issue({
      ...{ subject: 'late', role: Role.OPERATOR, tenantId: null, lifetimeSeconds: -60 },
    });
    const page = await openSignedIn();
    await page.route('**/graphql', (route) =>
      route.continue({ headers: { ...route.request().headers(), authorization: `Bearer ${expired}` } }),
    );
    await refreshUntil(page, 'The token has expired or is no longer accepted.');
    expect(await page.locator('.figures').getAttribute('class')).toBe('figures dimmed');
    expect(await page.locator('main').innerText()).toContain(LONG_NAME);
    await page.unroute('**/graphql');
    await signIn(page);
    await page.getByText(WARNED).waitFor();
    expect(await page.locator('.figures').getAttribute('class')).toBe('figures');
  });

  test('says since when the service cannot be reached, and comes back by itself', async () => {
    const page = await openSignedIn();
    await page.clock.install();
    await page.reload();
    await page.getByText(WARNED).waitFor();
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Refresh' }).click();
    const since = page.getByText(/^The service cannot be reached, since \d\d:\d\d\.$/);
    await since.waitFor();
    const told = await since.innerText();
    const askedAgain = page.waitForEvent('requestfailed', (request) => asksFor(request, 'OpsFigures'));
    await page.clock.fastForward('05:00');
    await askedAgain;
    expect(await since.innerText()).toBe(told);
    expect(await page.locator('main').innerText()).toContain(LONG_NAME);
    await page.context().setOffline(false);
    await expect
      .poll(async () => {
        await page.clock.fastForward('00:10');
        return page.locator('.status').innerText();
      })
      .toContain(WARNED);
  });

  test('shows nothing of what comes after signing out', async () => {
    const page = await openSignedIn();
    const held = await Promise.all(OPERATIONS.map((operation) => holdNext(page, operation)));
    await page.getByRole('button', { name: 'Refresh' }).click();
    await Promise.all(held.map(({ asked }) => asked));
    await page.getByRole('button', { name: 'Sign out' }).click();
    for (const { letGo } of held) await letGo();
    expect(await page.locator('.figures').count()).toBe(0);
    await signIn(page);
    await page.getByText(WARNED).waitFor();
  });

  test('shows the minutes of the last choice, though those of an earlier one come later', async () => {
    const page = await openSignedIn();
    const [chart] = await page.locator('figure.chart').all();
    await chart?.getByText(/^Table/).press('Enter');
    const held = await holdNext(page, 'OpsMinutes');
    await page.getByRole('button', { name: 'Refresh' }).click();
    await held.asked;
    await page.getByText('24 h', { exact: true }).click();
    const minutes = page.getByRole('region', { name: 'Requests by minute' }).getByRole('row');
    const ofFiveHoursAgo = minutes.filter({ has: page.getByRole('cell', { name: '77', exact: true }) });
    await ofFiveHoursAgo.waitFor();
    await held.letGo();
    expect(await ofFiveHoursAgo.count()).toBe(1);
  });

  test('asks once more when Refresh is pressed while answers are under way', async () => {
    const page = await openSignedIn();
    const held = await holdNext(page, 'OpsMinutes');
    const refresh = page.getByRole('button', { name: 'Refresh' });
    await refresh.click();
    await held.asked;
    const askedAgain = page.waitForRequest((request) => asksFor(request, 'OpsMinutes'));
    await refresh.click();
    await held.letGo();
    await askedAgain;
  });

  test('shows the figures of the process alone while PostgreSQL is gone', async () => {
    const page = await openSignedIn();
    way.cut();
    await refreshUntil(page, 'PostgreSQL cannot be reached: figures of the answering process only');
    expect(await page.locator('main').innerText()).toContain('the answering process only');
    expect((await cellsOf(page, 'All operations', LONG_NAME))[0]).toBe('3');
    way.mend();
    await refreshUntil(page, WARNED);
  });

  test('says that Redis is gone', async (context) => {
    if (!redis) return context.skip();
    const page = await openSignedIn();
    await redis.kill();
    await refreshUntil(page, 'Redis does not answer: every answer is computed from PostgreSQL.');
    expect(await page.locator('.status').innerText()).toContain('Something is wrong: 1 fault, and 1 warning.');
    await redis.restart();
    await refreshUntil(page, WARNED);
  });
});
