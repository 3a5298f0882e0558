/** A system as its states and the steps that lead from one to the next. */
export interface System<State> {
  readonly initial: State;
  /** Every step that may happen next, whoever takes it. A step may throw `Violation`. */
  steps(state: State): readonly Step<State>[];
}

export interface Step<State> {
  readonly name: string;
  take(): State;
}

/** A step that breaks a promise. */
export class Violation extends Error {}

export interface Exploration {
  /** Different states that were reached. */
  readonly states: number;
  /** The shortest way to a broken promise, step by step; undefined when there is none. */
  readonly counterexample: readonly string[] | undefined;
}

interface Visited<State> {
  readonly state: State;
  readonly step: string;
  readonly before: Visited<State> | undefined;
}

/**
 * Visits every state that any order of steps can lead to, nearest first. States must be plain JSON.
 */
export function explore<State>(system: System<State>): Exploration {
  const seen = new Set([JSON.stringify(system.initial)]);
  const queue: Visited<State>[] = [{ state: system.initial, step: 'start', before: undefined }];
  // Read by index and never shifted: an array of a million states is not moved a million times.
  for (let next = 0; next < queue.length; next++) {
    const visited = queue[next] as Visited<State>;
    for (const step of system.steps(visited.state)) {
      const state = attempt(step);
      if (state instanceof Violation)
        return { states: seen.size, counterexample: [...way(visited), step.name, state.message] };
      const identity = JSON.stringify(state);
      if (seen.has(identity)) continue;
      seen.add(identity);
      queue.push({ state, step: step.name, before: visited });
    }
  }
  return { states: seen.size, counterexample: undefined };
}

function attempt<State>(step: Step<State>): State | Violation {
  try {
    return step.take();
  } catch (error) {
    if (error instanceof Violation) return error;
    throw error;
  }
}

function way(visited: Visited<unknown>): string[] {
  const steps: string[] = [];
  for (let at: Visited<unknown> | undefined = visited; at?.before; at = at.before) steps.unshift(at.step);
  return steps;
}
