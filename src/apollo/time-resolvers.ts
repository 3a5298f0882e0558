import { performance } from 'node:perf_hooks';
import { defaultFieldResolver, type GraphQLFieldResolver, type GraphQLSchema, isObjectType } from 'graphql';
import type { Monitor } from '../monitoring/monitor.ts';

/** So many calls of each resolver are all timed: what is rarely asked for shows at once. */
const TIMED_FIRST = 100;
/**
 * After them, one call in so many on average. A list of 50 rows resolves each of its fields 50
 * times.
 */
const SAMPLE_EVERY = 10;

type Resolver = GraphQLFieldResolver<unknown, unknown>;

/**
 * Times the resolvers that do work, by replacing them in the schema; fields that only read a
 * property have none and stay as they are. A duration lasts until the resolver's promise settles,
 * waiting for its batch included. Call it once, before the schema is given to the server.
 * @param random even numbers from 0 to 1
 */
export function timeResolvers(schema: GraphQLSchema, monitor: Monitor, random: () => number = Math.random): void {
  for (const type of Object.values(schema.getTypeMap()).filter(isObjectType)) {
    if (type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      if (!field.resolve || field.resolve === defaultFieldResolver) continue;
      const timed = timedResolver(`${type.name}.${field.name}`, field.resolve, monitor);
      field.resolve = sampled(timed, field.resolve, random);
    }
  }
}

/**
 * Gaps of random length between the timed calls, so that no pattern in the calls can hide from
 * them.
 */
function sampled(timed: Resolver, untimed: Resolver, random: () => number): Resolver {
  let firstLeft = TIMED_FIRST;
  let untimedLeft = 0;
  return (source, args, context, info) => {
    if (untimedLeft > 0) {
      untimedLeft--;
      return untimed(source, args, context, info);
    }
    if (firstLeft > 0) firstLeft--;
    else untimedLeft = Math.floor(random() * (2 * SAMPLE_EVERY - 1));
    return timed(source, args, context, info);
  };
}

function timedResolver(coordinate: string, resolve: Resolver, monitor: Monitor): Resolver {
  return (source, args, context, info) => {
    const startedAtMs = performance.now();
    const record = (failed: boolean) =>
      monitor.recordResolver({ coordinate, durationMs: performance.now() - startedAtMs, failed });
    try {
      const result = resolve(source, args, context, info);
      if (result instanceof Promise)
        result.then(
          () => record(false),
          () => record(true),
        );
      else record(false);
      return result;
    } catch (error) {
      record(true);
      throw error;
    }
  };
}
