import { LRUCache } from 'lru-cache';
import { FIRST_DAY } from './limits.ts';

/** The lengths of time that statistics can be cut into. */
export enum StatisticsPeriod {
  DAILY = 'DAILY',
  WEEKLY = 'WEEKLY',
  MONTHLY = 'MONTHLY',
  QUARTERLY = 'QUARTERLY',
  YEARLY = 'YEARLY',
}

/**
 * How many periods are shown, the current one included, when the range does not say where it
 * begins.
 */
export const DEFAULT_PERIODS: Readonly<Record<StatisticsPeriod, number>> = {
  DAILY: 30,
  WEEKLY: 26,
  MONTHLY: 24,
  QUARTERLY: 12,
  YEARLY: 10,
};

/** A period, clipped to the range that was asked for. Days are YYYY-MM-DD, both included. */
export interface Bucket {
  /** First day of the whole period: what the database groups by. */
  readonly period: string;
  readonly start: string;
  readonly end: string;
}

/** Of a year at most each: two megabytes. */
const rangesInUse = new LRUCache<string, readonly string[]>({ max: 200 });

const DAY_MS = 86_400_000;
const MIDNIGHT = 'T00:00:00.000Z';

const MONTHS: Readonly<Partial<Record<StatisticsPeriod, number>>> = { MONTHLY: 1, QUARTERLY: 3, YEARLY: 12 };

/** The day so many days later; earlier when negative. */
export function addDays(day: string, days: number): string {
  const date = utc(day);
  date.setUTCDate(date.getUTCDate() + days);
  return dayOf(date);
}

/**
 * Every day of a range, both ends included. The ranges of dashboards are the same ones again and
 * again.
 */
export function daysBetween(from: string, to: string): readonly string[] {
  const key = `${from} ${to}`;
  const known = rangesInUse.get(key);
  if (known) return known;
  const days: string[] = [];
  const lastMs = utc(to).getTime();
  for (let dayMs = utc(from).getTime(); dayMs <= lastMs; dayMs += DAY_MS) days.push(dayOf(new Date(dayMs)));
  rangesInUse.set(key, days);
  return days;
}

/** The first day of the period that a day lies in. Weeks start on Monday (ISO 8601). */
export function startOfPeriod(period: StatisticsPeriod, day: string): string {
  if (period === StatisticsPeriod.DAILY) return day;
  const date = utc(day);
  const months = MONTHS[period];
  if (!months) return addDays(day, -((date.getUTCDay() + 6) % 7));
  date.setUTCMonth(Math.floor(date.getUTCMonth() / months) * months, 1);
  return dayOf(date);
}

/** The first day of the period so many periods after the one that begins on `start`. */
export function addPeriods(period: StatisticsPeriod, start: string, count: number): string {
  const months = MONTHS[period];
  if (!months) return addDays(start, count * (period === StatisticsPeriod.WEEKLY ? 7 : 1));
  const date = utc(start);
  date.setUTCMonth(date.getUTCMonth() + count * months);
  return dayOf(date);
}

/**
 * Every period that meets the range, in order, the first and last clipped to it.
 * @returns undefined when there are more than `max`
 */
export function bucketsBetween(period: StatisticsPeriod, from: string, to: string, max: number): Bucket[] | undefined {
  const buckets: Bucket[] = [];
  for (let start = startOfPeriod(period, from); !isAfter(start, to); ) {
    if (buckets.length === max) return undefined;
    const next = addPeriods(period, start, 1);
    const end = addDays(next, -1);
    buckets.push({ period: start, start: isAfter(from, start) ? from : start, end: isAfter(end, to) ? to : end });
    start = next;
  }
  return buckets;
}

/** The day itself; the first day of the calendar for those before it. */
export function notBeforeFirst(day: string): string {
  return isAfter(FIRST_DAY, day) ? FIRST_DAY : day;
}

/** Days are reckoned as midnights in UTC, where every day has 24 hours. */
function utc(day: string): Date {
  return new Date(`${day}${MIDNIGHT}`);
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, -MIDNIGHT.length);
}

/** By time and not by text: the day after 9999-12-31 is +010000-01-01. */
function isAfter(day: string, other: string): boolean {
  return utc(day) > utc(other);
}
