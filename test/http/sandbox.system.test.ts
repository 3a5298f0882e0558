import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { explorerPages, SAMPLE_QUERY } from '../../src/http/explorer.ts';
import { describeWithBrowser } from '../support/chromium.ts';
import { type ConfinedBrowser, launchConfinedBrowser } from './confined-browser.ts';

const SCRIPT_HOST = 'https://embeddable-sandbox.cdn.apollographql.com/';
const FRAME_HOST = 'https://sandbox.embed.apollographql.com/';

/**
 * Does what the page lets Apollo's script do: open Apollo's frame, and send a query from the page.
 */
const IMITATED_SCRIPT = `
  window.EmbeddedSandbox = class {
    constructor(settings) {
      window.settings = settings;
      const frame = document.createElement('iframe');
      frame.src = '${FRAME_HOST}explorer';
      document.querySelector(settings.target).append(frame);
      fetch(settings.initialEndpoint, { method: 'POST', headers: settings.initialState.headers })
        .then((response) => response.json())
        .then((answer) => { window.answer = answer; });
    }
  };
`;

describeWithBrowser('Apollo Sandbox at /graphql', () => {
  const app = Fastify();
  let browser: ConfinedBrowser;
  let origin: string;

  beforeAll(async () => {
    app.register(explorerPages({ enabled: true, sampleToken: 'sample.token.x' }));
    app.post('/graphql', async ({ headers }) => ({ authorization: headers.authorization }));
    await app.listen({ host: '127.0.0.1', port: 0 });
    origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    browser = await launchConfinedBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await app.close();
  });

  test('lets Apollo’s script open its frame and ask the service, filled with the sample query and token', async () => {
    const imitations = { [SCRIPT_HOST]: IMITATED_SCRIPT, [FRAME_HOST]: '<title>Explorer</title>' };
    const { page, foreignRequests, problems } = await browser.open(origin, imitations);
    await page.goto(`${origin}/graphql`);
    const answer = await page.waitForFunction('window.answer');
    expect(await answer.jsonValue()).toStrictEqual({ authorization: 'Bearer sample.token.x' });
    expect(await page.evaluate('settings')).toMatchObject({
      initialEndpoint: `${origin}/graphql`,
      initialState: { document: SAMPLE_QUERY, headers: { Authorization: 'Bearer sample.token.x' } },
      endpointIsEditable: false,
      runTelemetry: false,
    });
    await expect.poll(() => page.frames().map((frame) => frame.url())).toContain(`${FRAME_HOST}explorer`);
    const frameBox = await page.locator('iframe').boundingBox();
    expect(frameBox).toMatchObject(page.viewportSize() ?? {});
    expect(await page.locator('#offline').isVisible()).toBe(false);
    expect(foreignRequests).toHaveLength(2);
    expect(problems).toStrictEqual([]);
  });

  test('shows the way to GraphiQL where Apollo cannot be reached', async () => {
    const { page, foreignRequests } = await browser.open(origin);
    await page.goto(`${origin}/graphql`);
    await page.getByText('Apollo Sandbox cannot be loaded').waitFor();
    expect(await page.getByRole('link', { name: 'GraphiQL' }).getAttribute('href')).toBe('/graphiql');
    expect(foreignRequests).toStrictEqual([expect.stringContaining(SCRIPT_HOST)]);
  });

  test('shows it also where Apollo never answers', async () => {
    const { page } = await browser.open(origin);
    await page.route(`${SCRIPT_HOST}**`, () => {});
    await page.clock.install();
    await page.goto(`${origin}/graphql`, { waitUntil: 'commit' });
    await page.locator('#offline').waitFor({ state: 'attached' });
    expect(await page.locator('#offline').isVisible()).toBe(false);
    await page.clock.fastForward(3_000);
    await page.getByText('Apollo Sandbox cannot be loaded').waitFor();
  });
});
