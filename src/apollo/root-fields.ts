import type { ExecutionResult } from 'graphql';

/**
 * Puts together the answers to the root fields of a query, each executed by itself and all at once,
 * in the order of the fields. Executed as one, errors are reported in the order in which they are
 * found out, and the answer is given up for the one that is found out first: a race. So they come
 * in the order of the fields, up to the first one without which there is no answer.
 */
export function wholeAnswer(answers: readonly ExecutionResult[]): ExecutionResult {
  const [only] = answers;
  if (only && answers.length === 1) return only;
  const without = answers.findIndex(({ data }) => !data);
  const reported = without === -1 ? answers : answers.slice(0, without + 1);
  const errors = reported.flatMap((answer) => answer.errors ?? []);
  const data = without === -1 ? Object.assign(Object.create(null), ...answers.map(({ data }) => data)) : null;
  return errors.length > 0 ? { errors, data } : { data };
}
