import { describe, expect, test } from 'vitest';
import { readBoard, readProjectFile, readRules } from '../support/monitoring-files.ts';
import { groupedBy, selectorsIn } from '../support/promql.ts';

const alerts = readRules().filter(({ alert }) => alert !== undefined);
const operations = readProjectFile('docs/operations.md');

/** `5m` as `5 minutes`. */
function inWords(time = ''): string {
  const count = Number.parseInt(time, 10);
  return `${count} ${time.endsWith('h') ? 'hour' : 'minute'}${count === 1 ? '' : 's'}`;
}

describe('an alert', () => {
  test.each(alerts.map(({ alert, ...rule }) => [alert as string, rule] as const))(
    '%s says how grave it is and what it means, and has its section with what to do',
    (name, { labels, annotations }) => {
      expect(name).toMatch(/^Tenantry[A-Z]/);
      expect(labels?.severity).toMatch(/^(critical|warning)$/);
      expect(Object.keys(annotations ?? {}).toSorted()).toEqual(['description', 'runbook_url', 'summary']);
      expect(annotations?.runbook_url).toBe(`docs/operations.md#${name.toLowerCase()}`);
      expect(operations).toContain(`\n### ${name}\n`);
    },
  );

  test.each(alerts.map((rule) => [rule.alert as string, rule] as const))(
    'the section of %s says when it fires: limit, time and gravity as in the rules',
    (name, { expr, for: lasts, labels }) => {
      const [, section = ''] = operations.split(`\n### ${name}\n`);
      const [, fires = ''] = /^\s*Fires: (.*?)\. /s.exec(section.replaceAll('\n', ' ')) ?? [];
      const limit = Number(/[<>=]=? ([\d.]+)(?: and [^<>=]*> [\d.]+)?$/.exec(expr)?.[1] ?? 0);
      expect(fires).toMatch(new RegExp(`(^|above |below )(${limit}|${limit * 100} %)( |,|$)`));
      const within = /\[(\w+)\]/.exec(expr)?.[1];
      if (expr.startsWith('increase')) expect(fires).toContain(`within ${inWords(within)}`);
      expect(fires).toContain(lasts ? `for ${inWords(lasts)};` : ', at once;');
      expect(fires).toMatch(new RegExp(`; ${labels?.severity}$`));
    },
  );

  test('has a name of its own, and no section is left of one that is gone', () => {
    const names = alerts.map(({ alert }) => alert as string);
    expect(new Set(names).size).toBe(names.length);
    expect([...operations.matchAll(/^### (Tenantry\w+)$/gm)].map(([, name]) => name)).toEqual(names);
  });
});

test('recording rules are named by level, metric and operation', () => {
  const recorded = readRules().flatMap(({ record }) => record ?? []);
  expect(recorded.length).toBeGreaterThan(0);
  for (const name of recorded) expect(name).toMatch(/^tenantry:[a-z0-9_]+:[a-z0-9_]+$/);
});

test('the board can be imported: a variable for the data source, and panels that do not overlap', () => {
  const { uid, schemaVersion, templating, panels, links } = readBoard();
  expect([uid, schemaVersion >= 38]).toEqual(['tenantry', true]);
  expect(templating.list.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'datasource datasource',
    'job query',
    'instance query',
    'service textbox',
    'docs textbox',
  ]);
  expect(links.map(({ url }) => url)).toEqual(['$service/ops', '$docs/operations.md#board-and-alerts']);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
    'Traffic',
    'Latency',
    'Cache',
    'Change feed',
    'Database',
    'Redis',
    'Budgets and tenants',
    'Process',
  ]);
  const taken = new Set<string>();
  for (const { type, title, gridPos, datasource, targets = [] } of panels) {
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(x < 24 && !taken.has(`${x} ${y}`), title).toBe(true);
        taken.add(`${x} ${y}`);
      }
    if (type === 'row') continue;
    expect(targets.length, title).toBeGreaterThan(0);
    for (const { uid } of [datasource, ...targets.map((target) => target.datasource)].flatMap((each) => each ?? []))
      expect(uid).toMatch(/^\$\{datasource\}$/);
  }
});

test('selectors are told from functions, words, labels and durations', () => {
  const expression =
    'histogram_quantile(0.99, sum by (le, job) (rate(a_bucket{b="x}", c=~"y|z"}[5m] offset 1h))) and on (d) e:f > 1e3';
  expect(selectorsIn(expression)).toEqual([
    {
      metric: 'a_bucket',
      labels: [
        ['b', 'x}'],
        ['c', undefined],
      ],
    },
    { metric: 'e:f', labels: [] },
  ]);
  expect(groupedBy(expression)).toEqual(['le', 'job', 'd']);
});
