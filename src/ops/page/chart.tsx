import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { clock, NONE, short } from './format.ts';
import type { Grid, Minute } from './minutes.ts';
import { DataTable } from './table.tsx';

const HEIGHT_PX = 190;
const DARK = matchMedia('(prefers-color-scheme: dark)');
/** The cursors of all charts move together. */
const TOGETHER = uPlot.sync('minutes');

export interface Line {
  readonly label: string;
  /** Custom property of the style sheet that holds the colour of both schemes. */
  readonly color: string;
  /** Lengths of strokes and gaps, so that lines differ without colours, too. */
  readonly dash?: readonly number[];
  readonly of: (minute: Minute) => number | null;
}

interface ChartProps {
  readonly title: string;
  readonly unit: string;
  /** What the figures are of: their window and processes. */
  readonly caption: string;
  readonly grid: Grid;
  /** Where they are stacked, the last one is at the bottom. */
  readonly lines: readonly Line[];
  readonly isStacked?: boolean;
  readonly isLogarithmic?: boolean;
  readonly format: (value: number) => string;
}

/** Lines over the minutes, with their values in words and in a table. */
export function Chart(props: ChartProps) {
  const { title, unit, caption, grid, lines, format } = props;
  const [cursor, setCursor] = useState<number | null>(null);
  const lastKnown = grid.minutes.findLastIndex((minute) => minute !== null);
  const at = cursor ?? lastKnown;
  const minute = grid.minutes[at];
  const shownOf = (line: Line) => {
    const value = minute && line.of(minute);
    return value === null || value === undefined ? NONE : format(value);
  };
  const time = grid.times[at];
  return (
    <figure class="chart">
      <figcaption>
        <h3>
          {title} <span class="unit">{unit}</span>
        </h3>
        <p class="caption">{caption}</p>
        <ul class="legend">
          {lines.map((line) => (
            <li key={line.label}>
              <Swatch line={line} />
              {line.label} <b>{shownOf(line)}</b>
            </li>
          ))}
          <li class="at">{minute && time ? `at ${clock(time * 1000)}` : 'no minute yet'}</li>
        </ul>
      </figcaption>
      <Plot {...props} onCursor={setCursor} description={describe(props)} />
      <MinuteTable {...props} />
    </figure>
  );
}

function Swatch({ line: { color, dash } }: { readonly line: Line }) {
  return (
    <svg class="swatch" width="22" height="8" aria-hidden="true">
      <line x1="1" y1="4" x2="21" y2="4" class={color} stroke-width="3" stroke-dasharray={dash?.join(' ')} />
    </svg>
  );
}

/** Made only where it is opened: a day has 1440 rows. */
function MinuteTable({ title, unit, caption, grid, lines, format }: ChartProps) {
  const [isOpen, setOpen] = useState(false);
  const rows = isOpen
    ? grid.minutes.flatMap((minute, at) => (minute ? [{ minute, time: (grid.times[at] ?? 0) * 1000 }] : [])).reverse()
    : [];
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Table <span class="for-readers">of {title}</span>
      </summary>
      {isOpen && (
        <DataTable
          name={`${title} by minute`}
          caption={`${title}, ${unit}. ${caption}`}
          rows={rows}
          keyOf={({ minute }) => minute.start}
          empty="There is no whole minute yet."
          columns={[
            { title: 'Minute', cell: ({ time }) => clock(time), sortBy: ({ time }) => time },
            ...lines.map(({ label, of }) => ({
              title: label,
              isFigure: true,
              cell: ({ minute }: (typeof rows)[number]) => {
                const value = of(minute);
                return value === null ? NONE : format(value);
              },
              sortBy: ({ minute }: (typeof rows)[number]) => of(minute) ?? -1,
            })),
          ]}
        />
      )}
    </details>
  );
}

/** The figure in a sentence, for who does not see it. */
function describe({ title, unit, lines, grid, format }: ChartProps): string {
  const known = grid.minutes.filter((minute) => minute !== null);
  const parts = lines.map(({ label, of }) => {
    const values = known.map(of).filter((value) => value !== null);
    if (values.length === 0) return `${label} without values`;
    return `${label} from ${format(Math.min(...values))} to ${format(Math.max(...values))}`;
  });
  return `${title}, ${unit}: ${parts.join(', ')}. The table below has each minute.`;
}

interface PlotProps extends ChartProps {
  readonly description: string;
  readonly onCursor: (at: number | null) => void;
}

function Plot(props: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const isDark = useIsDark();
  const data = dataOf(props);
  // Made anew where its colours are others.
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const made = new uPlot({ ...optionsOf(props), width: element.clientWidth, height: HEIGHT_PX }, data, element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [isDark]);
  // The same minutes are drawn once.
  useEffect(() => plot.current?.setData(data), [props.grid]);
  return <div class="plot" ref={place} role="img" aria-label={props.description} />;
}

function useIsDark(): boolean {
  const [isDark, setDark] = useState(DARK.matches);
  useEffect(() => {
    const onChange = () => setDark(DARK.matches);
    DARK.addEventListener('change', onChange);
    return () => DARK.removeEventListener('change', onChange);
  }, []);
  return isDark;
}

/** Where lines are stacked, each is drawn as the sum of itself and all that follow it. */
function dataOf({ grid, lines, isStacked }: ChartProps): uPlot.AlignedData {
  const rows = lines.map((_, at) =>
    grid.minutes.map((minute) => {
      if (!minute) return null;
      if (!isStacked) return lines[at]?.of(minute) ?? null;
      return lines.slice(at).reduce((sum, line) => sum + (line.of(minute) ?? 0), 0);
    }),
  );
  return [grid.times as number[], ...rows];
}

function optionsOf({ lines, isStacked, isLogarithmic, onCursor }: PlotProps): Omit<uPlot.Options, 'width' | 'height'> {
  const [ink, rule, ground] = ['--muted', '--rule', '--card'].map(colorOf) as [string, string, string];
  const axis = { stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { show: false }, font: '12px system-ui' };
  return {
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: { sync: { key: TOGETHER.key }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
    scales: {
      y: isLogarithmic ? { distr: 3, log: 10 } : { range: (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1] },
    },
    axes: [
      {
        ...axis,
        space: 60,
        size: 28,
        grid: { show: false },
        values: (_plot, times) => times.map((time) => clock(time * 1000)),
      },
      {
        ...axis,
        space: 36,
        size: 56,
        ...(isLogarithmic && { splits: powersOfTen }),
        values: (_plot, values) => values.map((value) => (value === null ? '' : short(value))),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, color, dash }) => ({
        label,
        stroke: isStacked ? ground : colorOf(`--${color}`),
        width: isStacked ? 1 : 2,
        ...(isStacked ? { fill: colorOf(`--${color}`) } : { dash: dash as number[] | undefined }),
        points: { show: isLone, size: 4, fill: colorOf(`--${color}`) },
      })),
    ],
    hooks: {
      setCursor: [
        ({ cursor }) => onCursor(cursor.left !== undefined && cursor.left >= 0 ? (cursor.idx ?? null) : null),
      ],
    },
  };
}

function powersOfTen(_plot: uPlot, _axis: number, least: number, most: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(least)), Math.floor(Math.log10(most))];
  return Array.from({ length: last - first + 1 }, (_, at) => 10 ** (first + at));
}

/** A minute between two without values is no line. */
function isLone(plot: uPlot, series: number, from: number, to: number): boolean {
  return (plot.data[series] ?? []).slice(from, to + 1).filter((value) => value !== null).length < 2;
}

function colorOf(property: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim();
}
