const LOCALE = 'en';
const WHOLE = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumSignificantDigits: 3 });
const PERCENT = new Intl.NumberFormat(LOCALE, { style: 'percent', maximumFractionDigits: 1 });
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const CLOCK_SECONDS = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const DAY_CLOCK = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const DAY_MS = 86_400_000;

/** What is not known. */
export const NONE = '–';

/** Of this browser, for the sentence that says so. */
export const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export const whole = (value: number): string => WHOLE.format(value);

/** 12.3K, for axes and wide tables. */
export const short = (value: number): string => SHORT.format(value);

/** @param part 0 to 1 */
export const percent = (part: number): string => PERCENT.format(part);

/** @returns the share as a percentage, or a dash where there is nothing to divide by */
export const share = (part: number, all: number): string => (all > 0 ? percent(part / all) : NONE);

/** Three digits that count; the unit stands in the column's title. */
export function milliseconds(value: number): string {
  if (value === 0) return '0';
  if (value < 0.01) return '<0.01';
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function bytes(value: number): string {
  const step = value < 1 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(value) / 10));
  const amount = value / 1024 ** step;
  return `${amount.toLocaleString(LOCALE, { maximumFractionDigits: amount < 10 && step ? 1 : 0 })} ${BYTE_UNITS[step]}`;
}

/** With the day where it is not of the last 24 hours. */
export function clock(time: string | number | Date): string {
  const date = new Date(time);
  return Math.abs(Date.now() - date.getTime()) < DAY_MS ? CLOCK.format(date) : DAY_CLOCK.format(date);
}

export const clockSeconds = (time: string | number | Date): string => CLOCK_SECONDS.format(new Date(time));

/** How long ago, in its largest unit. */
export function age(time: string): string {
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

export const counted = (count: number, thing: string, things = `${thing}s`): string =>
  `${whole(count)} ${count === 1 ? thing : things}`;
