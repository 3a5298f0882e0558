import type { GeneratedOperation, Variables } from './operation-generator.ts';

/** Two answers to the same question. */
export interface Difference {
  readonly seed: number;
  readonly generated: GeneratedOperation;
  readonly variables: Variables;
  /** Which execution gave the other answer. */
  readonly execution: string;
  readonly expected: string;
  readonly got: string;
}

/** For a person: with what is needed to see it again. */
export function describeDifference({ seed, generated, variables, execution, expected, got }: Difference): string {
  return [
    `Seed ${seed} (again: npm run fuzz -- --operations 1 --seed ${seed}), ${execution}:`,
    generated.document,
    `operation ${generated.operationName}, variables ${JSON.stringify(variables)}`,
    `expected ${expected}`,
    `but got  ${got}`,
  ].join('\n');
}
