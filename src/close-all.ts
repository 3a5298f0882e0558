/**
 * Takes each step in turn, whatever comes of those before it: what one cannot close keeps nothing
 * else open.
 * @throws the first error, with those after it as its cause
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
  const [first, ...others] = errors;
  if (first instanceof Error && others.length > 0) first.cause ??= new AggregateError(others, 'failed after it, too');
  if (errors.length > 0) throw first;
}

/** The same after an error, which is the one that is thrown. */
export function closeAllAfter(error: unknown, ...steps: readonly (() => unknown)[]): Promise<never> {
  return closeAll(() => Promise.reject(error), ...steps) as Promise<never>;
}
