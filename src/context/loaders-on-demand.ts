import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { Loaders } from './services.ts';

type Makers = { readonly [Feature in keyof Loaders]: (scope: TenantScope) => Loaders[Feature] };

/**
 * The loaders of each request, those of a feature made when they are first asked for: most requests
 * use one of them.
 */
export function loadersOnDemand(makers: Makers): (scope: TenantScope) => Loaders {
  class OnDemand {
    constructor(readonly scope: TenantScope) {}
  }
  for (const [feature, make] of Object.entries<(scope: TenantScope) => unknown>(makers))
    Object.defineProperty(OnDemand.prototype, feature, {
      get(this: OnDemand) {
        const value = make(this.scope);
        Object.defineProperty(this, feature, { value });
        return value;
      },
    });
  return (scope) => new OnDemand(scope) as unknown as Loaders;
}
