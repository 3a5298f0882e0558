import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

import { describeIf } from './left-out.ts';
import { findOnPath } from './on-path.ts';

const PROGRAM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const REMEDY = 'Chromium was not found. Install it: apt-get install chromium, or npx playwright-core install chromium.';

/**
 * For Playwright's `executablePath`: the system's Chromium, else the one that Playwright itself has
 * downloaded.
 */
export function findChromium(): string | undefined {
  return findOnPath(...PROGRAM_NAMES) ?? [chromium.executablePath()].find((file) => existsSync(file));
}

/** Tests in a real browser. */
export function describeWithBrowser(title: string, tests: () => void): void {
  describeIf(findChromium() !== undefined, REMEDY, title, tests);
}
