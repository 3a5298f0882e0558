import type { createModelLoaders } from './model.loaders.ts';
import type { ModelRepository } from './model.repository.ts';

declare module '../context/services.ts' {
  interface Services {
    readonly models: ModelRepository;
  }
  interface Loaders {
    readonly models: ReturnType<typeof createModelLoaders>;
  }
}
