import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { selectorsIn } from './promql.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

export interface Rule {
  readonly expr: string;
  /** Of a recording rule. */
  readonly record?: string;
  /** Of an alert. */
  readonly alert?: string;
  /** How long it must hold; absent: it fires at once. */
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

export interface Board {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly panels: readonly Panel[];
  readonly links: readonly { readonly url: string }[];
}

/** Of ops/prometheus/rules.yml. */
export function readRules(): Rule[] {
  const { groups } = parse(readProjectFile('ops/prometheus/rules.yml')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** The alerts that a metric takes part in, also by a recording rule. */
export function alertsOf(metric: string): string[] {
  const rules = readRules();
  const asks = (expr: string): boolean =>
    selectorsIn(expr).some(({ metric: name }) => {
      const recorded = rules.find(({ record }) => record === name);
      return recorded ? asks(recorded.expr) : name.replace(/_(bucket|count|sum)$/, '') === metric;
    });
  return rules.flatMap(({ alert, expr }) => (alert && asks(expr) ? [alert] : []));
}

/** ops/grafana/tenantry.json */
export function readBoard(): Board {
  return JSON.parse(readProjectFile('ops/grafana/tenantry.json')) as Board;
}

/** What the board asks Prometheus for; its variables stand for any value. */
export function boardExpressions(): string[] {
  const { panels, annotations } = readBoard();
  const asked = [...panels.flatMap(({ targets = [] }) => targets), ...annotations.list];
  return asked.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m'));
}

export function readProjectFile(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}
