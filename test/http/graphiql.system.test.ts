import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { describeWithBrowser } from '../support/chromium.ts';
import { withClient } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';
import { type ConfinedBrowser, launchConfinedBrowser } from './confined-browser.ts';

/** GraphiQL is 9 MB of script; a busy machine takes its time. */
const TIMEOUT_MS = 60_000;
const NO_FOREIGN_REQUEST: string[] = [];

describeWithBrowser('GraphiQL at /graphiql', () => {
  let service: TestService;
  let browser: ConfinedBrowser;

  beforeAll(async () => {
    service = await startService();
    await withClient(service.databaseUrl, (client) =>
      client.query("INSERT INTO tenants (slug, name, time_zone) VALUES ('acme', 'Acme Bank', 'Europe/Prague')"),
    );
    browser = await launchConfinedBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await service?.close();
  });

  test(
    'opens, shows the documentation of the schema, and asks no other host for anything',
    async () => {
      const { page, foreignRequests, problems } = await browser.open(service.url);
      await page.goto(`${service.url}/graphiql`);
      const docs = page.locator('.graphiql-doc-explorer');
      await page.getByRole('button', { name: /documentation/i }).click();
      await docs.getByRole('link', { name: 'Query', exact: true }).click();
      await docs.getByRole('link', { name: 'statistics', exact: true }).click();
      await docs.getByText('StatisticsPeriod').first().waitFor();
      expect(foreignRequests).toStrictEqual(NO_FOREIGN_REQUEST);
      expect(problems).toStrictEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    'runs the sample query with a token and shows the answer',
    async () => {
      const { page, foreignRequests, problems } = await browser.open(service.url);
      await page.goto(`${service.url}/graphiql`);
      await page.getByRole('button', { name: 'Headers' }).click();
      await replaceText(page, '.graphiql-editor-tool .graphiql-editor:visible', {
        Authorization: `Bearer ${await service.token(Role.VIEWER, 'acme')}`,
      });
      await page.locator('.graphiql-execute-button').click();
      const response = page.locator('.result-window');
      await response.getByText('"Acme Bank"').waitFor();
      expect(await response.innerText()).toMatch(/"totalCount":\s0/);
      expect(foreignRequests).toStrictEqual(NO_FOREIGN_REQUEST);
      expect(problems).toStrictEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    'tells what is missing when the query is run without a token',
    async () => {
      const { page } = await browser.open(service.url);
      await page.goto(`${service.url}/graphiql`);
      await page.locator('.graphiql-execute-button').click();
      await page.locator('.result-window').getByText('"UNAUTHENTICATED"').first().waitFor();
    },
    TIMEOUT_MS,
  );
});

/** Pastes over what an editor holds: typed text would be completed with brackets and quotes. */
async function replaceText(page: Page, editor: string, value: object): Promise<void> {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.evaluate((text) => navigator.clipboard.writeText(text), JSON.stringify(value));
  await page.locator(editor).click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.press('ControlOrMeta+V');
}
