import { describe, test } from 'vitest';

/**
 * A group of tests that need something which a machine may lack. Without it they are left out with
 * one line that says how to get it; with CI=true that is a failure, so that a green run has run
 * them.
 */
export function describeIf(available: boolean, remedy: string, title: string, tests: () => void): void {
  if (available) {
    describe(title, tests);
  } else if (process.env.CI === 'true') {
    test(title, () => {
      throw new Error(remedy);
    });
  } else {
    console.warn(`left out: "${title}". ${remedy}`);
    describe.skip(title, tests);
  }
}
