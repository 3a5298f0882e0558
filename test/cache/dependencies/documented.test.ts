import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { defaultTtlSeconds, KINDS, ttlSettingOf } from '../../../src/cache/dependencies/answer-kinds.ts';
import { FOLLOWED_TABLES, NAMESPACES } from '../../../src/cache/dependencies/dependencies.ts';
import { readConfig } from '../../../src/config/config.ts';

const DEFAULTS = readConfig({}).cache.ttlSeconds;

test('docs/cache.md says of each followed table what the code does', () => {
  const [, rows = ''] = readFileSync('docs/cache.md', 'utf8').split('| table | every change of it invalidates |');
  const documented = [...rows.matchAll(/^\| `(\w+)` \| (.+) \| `(\w+)` \|$/gm)].map(([, table, changes, dependsOn]) => [
    table,
    changes,
    dependsOn,
  ]);
  const inCode = Object.entries(FOLLOWED_TABLES).map(([table, { changes, readersDependOn }]) => [
    table,
    changes.length === NAMESPACES.length ? 'all namespaces' : changes.map((name) => `\`${name}\``).join(', '),
    readersDependOn,
  ]);
  expect(documented.slice(0, inCode.length)).toEqual(inCode);
});

test('docs/settings.md says how long each kind of answer is kept', () => {
  const [, settings = ''] =
    readFileSync('docs/settings.md', 'utf8').match(/^\| (`CACHE_TTL_DASHBOARD_SECONDS`.*) \|$/m) ?? [];
  const [names = '', values = ''] = settings.split(' | ');
  const named = [...names.matchAll(/_([A-Z]+)_/g)].map(([, kind = '']) => kind.toLowerCase());
  const told = names.startsWith('`CACHE_TTL_DASHBOARD') ? ['dashboard', ...named.filter((kind) => kind !== 'ttl')] : [];
  const seconds = [...values.matchAll(/`(\d+)`/g)].map(([, number]) => Number(number));
  const own = KINDS.filter((kind) => defaultTtlSeconds(kind) !== undefined);
  expect(new Set(told)).toEqual(new Set(own));
  expect([...new Set(told)].map((kind, index) => [kind, seconds[index]])).toEqual(
    [...new Set(told)].map((kind) => [kind, DEFAULTS[kind as (typeof own)[number]]]),
  );
});

test.each(KINDS)('%s is kept for as long as its setting says', (kind) => {
  expect(readConfig({ [ttlSettingOf(kind)]: '7' }).cache.ttlSeconds[kind]).toBe(7);
  expect(DEFAULTS[kind]).toBe(defaultTtlSeconds(kind) ?? DEFAULTS.other);
});
