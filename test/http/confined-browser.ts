import { type Browser, chromium, type Page } from 'playwright-core';
import { findChromium } from '../support/chromium.ts';

export interface ConfinedPage {
  readonly page: Page;
  /** Addresses of other origins that were asked for. None was reached. */
  readonly foreignRequests: string[];
  /**
   * What the browser itself found wrong: errors of scripts, and requests that the page's own policy
   * forbids.
   */
  readonly problems: string[];
}

export interface ConfinedBrowser {
  /**
   * A page without cookies or storage, for which there is one origin alone.
   * @param imitations bodies that are answered for addresses of other origins, by their beginnings
   */
  open(origin: string, imitations?: Record<string, string>): Promise<ConfinedPage>;
  close(): Promise<void>;
}

/** A real Chromium that is cut off from the internet, request by request. */
export async function launchConfinedBrowser(): Promise<ConfinedBrowser> {
  const executablePath = findChromium();
  const browser = await chromium.launch({ ...(executablePath && { executablePath }) });
  return { open: (origin, imitations = {}) => openPage(browser, origin, imitations), close: () => browser.close() };
}

async function openPage(browser: Browser, origin: string, imitations: Record<string, string>): Promise<ConfinedPage> {
  const context = await browser.newContext();
  const foreignRequests: string[] = [];
  const problems: string[] = [];
  await context.route(
    (url) => url.origin !== origin,
    async (route) => {
      const url = route.request().url();
      foreignRequests.push(url);
      const [, body] = Object.entries(imitations).find(([beginning]) => url.startsWith(beginning)) ?? [];
      if (body === undefined) await route.abort('internetdisconnected');
      else await route.fulfill({ body, contentType: url.endsWith('.js') ? 'text/javascript' : 'text/html' });
    },
  );
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  return { page, foreignRequests, problems };
}
