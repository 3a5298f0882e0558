import { Chart } from './chart.tsx';
import { milliseconds, whole } from './format.ts';
import type { Grid, Minute } from './minutes.ts';

const ofAnswered = (of: (minute: Minute) => number) => (minute: Minute) => (minute.requests > 0 ? of(minute) : null);

/** The last hours, minute by minute. */
export function Charts({ grid, caption }: { readonly grid: Grid; readonly caption: string }) {
  return (
    <div class="charts">
      <Chart
        title="Requests"
        unit="a minute"
        {...{ grid, caption }}
        isStacked
        format={whole}
        lines={[
          { label: 'bypass', color: 'line-bypass', of: (it) => it.bypasses },
          { label: 'miss', color: 'line-miss', of: (it) => it.misses },
          { label: 'hit', color: 'line-hit', of: (it) => it.hits },
        ]}
      />
      <Chart
        title="Latency"
        unit="ms, logarithmic"
        {...{ grid, caption }}
        isLogarithmic
        format={milliseconds}
        lines={[
          { label: 'p99', color: 'line-p99', of: ofAnswered((it) => it.latency.p99) },
          { label: 'p95', color: 'line-p95', dash: [8, 4], of: ofAnswered((it) => it.latency.p95) },
          { label: 'p50', color: 'line-p50', dash: [2, 3], of: ofAnswered((it) => it.latency.p50) },
        ]}
      />
      <Chart
        title="Errors and refusals"
        unit="a minute"
        {...{ grid, caption }}
        format={whole}
        lines={[
          { label: 'errors', color: 'line-errors', of: (it) => it.errors },
          { label: 'refused unread', color: 'line-refusals', dash: [6, 4], of: (it) => it.refusals },
        ]}
      />
      <Chart
        title="SQL time"
        unit="ms a minute, of all statements"
        {...{ grid, caption }}
        format={whole}
        lines={[{ label: 'SQL', color: 'line-sql', of: (it) => it.databaseMs }]}
      />
    </div>
  );
}
