import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { isAllowed } from '../../src/node-version.mjs';

test.each([
  ['18.20.8', false],
  ['20.18.3', false],
  ['20.19.0', true],
  ['20.20.2', true],
  ['21.7.3', false],
  ['22.11.0', false],
  ['22.12.0', true],
  ['23.11.0', false],
  ['24.0.0', true],
  ['26.1.0', true],
])('Node.js %s is allowed: %s', (version, allowed) => {
  expect(isAllowed(version, manifest.engines.node)).toBe(allowed);
});
