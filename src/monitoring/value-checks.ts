/** Whether a value that others wrote is what it has to be. */
export type Check = (value: unknown) => boolean;

/** Sums of all processes of a deployment stay numbers then. */
export const isAmount: Check = (value) => typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
export const isText: Check = (value) => typeof value === 'string';
export const isBoolean: Check = (value) => typeof value === 'boolean';
export const isInstant: Check = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
export const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
export const pairOf =
  (first: Check, second: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length === 2 && first(value[0]) && second(value[1]);
export const amountsBy: Check = (value) => isRecord(value) && Object.values(value).every(isAmount);

/** Of an object that has these fields, and may have others. */
export function formOf<Fields extends object>(checks: Readonly<Record<keyof Fields, Check>>) {
  const entries = Object.entries<Check>(checks);
  return (value: unknown): value is Fields => isRecord(value) && entries.every(([field, check]) => check(value[field]));
}
