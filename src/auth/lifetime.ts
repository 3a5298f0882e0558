import { OperatorError } from '../errors.ts';

const SECONDS_PER_UNIT = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
/** Ten years. Tokens cannot be taken back, so one that never ends is not given. */
const MAX_SECONDS = 10 * 365 * 86_400;

/**
 * Reads a span of time such as `90s`, `30m`, `12h` or `7d`.
 * @param name the option it was given to, for the error
 * @returns seconds, between one and ten years' worth
 */
export function parseLifetimeSeconds(name: string, text: string): number {
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = Number(amount) * SECONDS_PER_UNIT[unit as keyof typeof SECONDS_PER_UNIT];
  if (seconds >= 1 && seconds <= MAX_SECONDS) return seconds;
  throw new OperatorError(
    `--${name} must be a number of s, m, h or d between 1s and 3650d, but got: "${text}".`,
    `Give it for example as --${name} 12h.`,
  );
}
