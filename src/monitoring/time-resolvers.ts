import { performance } from 'node:perf_hooks';
import { defaultFieldResolver, type GraphQLFieldResolver, type GraphQLSchema, isObjectType } from 'graphql';
import type { Monitor } from './monitor.ts';

/** A list of 50 rows resolves each of its fields 50 times; a tenth of them tells the same. */
const DEFAULT_SAMPLE_RATE = 0.1;

export interface ResolverTimingOptions {
  /** Share of the calls below the root fields that are timed, 0 to 1. Root fields are always timed. */
  readonly sampleRate?: number;
  /** Even numbers from 0 to 1. */
  readonly random?: () => number;
}

type Resolver = GraphQLFieldResolver<unknown, unknown>;

/**
 * Times the resolvers that do work, by replacing them in the schema; fields that only read a property have none and
 * stay as they are. A duration lasts until the resolver's promise settles, waiting for its batch included.
 * Call it once, before the schema is given to the server.
 */
export function timeResolvers(schema: GraphQLSchema, monitor: Monitor, options: ResolverTimingOptions = {}): void {
  const { sampleRate = DEFAULT_SAMPLE_RATE, random = Math.random } = options;
  const roots = new Set([schema.getQueryType(), schema.getMutationType()]);
  for (const type of Object.values(schema.getTypeMap()).filter(isObjectType)) {
    if (type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      if (!field.resolve || field.resolve === defaultFieldResolver) continue;
      const timed = timedResolver(`${type.name}.${field.name}`, field.resolve, monitor);
      field.resolve = roots.has(type) ? timed : sampled(timed, field.resolve, () => random() < sampleRate);
    }
  }
}

function sampled(timed: Resolver, untimed: Resolver, isChosen: () => boolean): Resolver {
  return (source, args, context, info) => (isChosen() ? timed : untimed)(source, args, context, info);
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
