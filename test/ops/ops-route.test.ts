import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import Fastify from 'fastify';
import { afterAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { OPS_POLICY, registerOpsPage } from '../../src/ops/ops-page.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const PAGE = '<!doctype html><script type="module" src="/ops/assets/index-x1.js"></script>';
const SCRIPT = 'document.title = "figures";';

function appWith(folder: string) {
  const app = Fastify();
  registerOpsPage(app, folder);
  return app;
}

function builtPage(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantry-test-'));
  mkdirSync(path.join(folder, 'assets'));
  writeFileSync(path.join(folder, 'index.html'), PAGE);
  writeFileSync(path.join(folder, 'assets/index-x1.js'), SCRIPT);
  writeFileSync(path.join(folder, 'assets/notes.txt'), 'not of the page');
  return folder;
}

describe('GET /ops', () => {
  const folder = builtPage();
  const app = appWith(folder);
  afterAll(() => rmSync(folder, { recursive: true }));

  test('sends the page with a policy that allows nothing but its own files and requests', async () => {
    for (const url of ['/ops', '/ops/', '/ops?from=a-bookmark']) {
      const { statusCode, headers, body } = await app.inject(url);
      expect(statusCode).toBe(200);
      expect(body).toBe(PAGE);
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': OPS_POLICY,
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
      });
    }
    expect(OPS_POLICY).not.toMatch(/unsafe|\*|https?:/);
  });

  test('sends assets packed, to be kept for good', async () => {
    const answer = await app.inject({ url: '/ops/assets/index-x1.js', headers: { 'accept-encoding': 'br, gzip' } });
    expect(answer.headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
    });
    expect(gunzipSync(answer.rawPayload).toString()).toBe(SCRIPT);
    expect((await app.inject('/ops/assets/index-x1.js')).body).toBe(SCRIPT);
  });

  test('sends a browser that takes no gzip the plain file, under a tag of its own', async () => {
    const [plain, gzipped] = await Promise.all(
      ['gzip;q=0', 'gzip'].map((accepted) => app.inject({ url: '/ops', headers: { 'accept-encoding': accepted } })),
    );
    expect([plain?.headers['content-encoding'], gzipped?.headers['content-encoding']]).toEqual([undefined, 'gzip']);
    expect(plain?.headers.etag).not.toBe(gzipped?.headers.etag);
  });

  test('answers HEAD, and 304 to a browser that has the page', async () => {
    const head = await app.inject({ method: 'HEAD', url: '/ops' });
    expect([head.statusCode, head.body]).toStrictEqual([200, '']);
    for (const known of [String(head.headers.etag), `W/${head.headers.etag}`, `"other", ${head.headers.etag}`, '*']) {
      const again = await app.inject({ url: '/ops', headers: { 'if-none-match': known } });
      expect([again.statusCode, again.body]).toStrictEqual([304, '']);
    }
  });

  test.each([
    '/ops/assets/index-x2.js',
    '/ops/assets/notes.txt',
    '/ops/assets/..%2Findex.html',
    '/ops/assets/%2e%2e/%2e%2e/package.json',
    '/ops/assets/',
    '/ops/index.html',
  ])('has no %s', async (url) => {
    expect((await app.inject(url)).statusCode).toBe(404);
  });

  test('says what to do where the page is not built', async () => {
    const answer = await appWith(makeTempFolder()).inject('/ops');
    expect(answer.statusCode).toBe(503);
    expect(answer.body).toContain('Run: npm run build.');
  });
});

test('the page is there unless it is switched off', () => {
  expect(readConfig({}).opsPage).toBe(true);
  expect(readConfig({ OPS_PAGE: 'off' }).opsPage).toBe(false);
});
