/**
 * Takes each step in turn, whatever comes of those before it: what one cannot close keeps nothing
 * else open.
 * @throws the first error
 */
export async function closeAll(...steps: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** The same after an error, which is the one that is thrown. */
export function closeAllAfter(error: unknown, ...steps: readonly (() => unknown)[]): Promise<never> {
  return closeAll(() => Promise.reject(error), ...steps) as Promise<never>;
}
