// The types that are registered have TypeGraphQL's decorators.
import 'reflect-metadata';
import type { MadeModel, Model } from './models/define-model.ts';

/**
 * Every model that was added as docs/add-a-model.md tells: its resolvers, loaders, indexes and the
 * plans of its queries follow from here. One that is left out is an error of its type.
 */
export const REGISTERED_MODELS: Readonly<Record<MadeModel, Model>> = {};
