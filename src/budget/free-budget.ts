import { Budget } from './budget.ts';

/** Of what the service asks by itself: nobody pays, and nothing is refused. */
export class FreeBudget extends Budget {
  constructor() {
    super({ name: 'free', perCaller: 0, anonymous: 0, perTenant: 0, takesOwn: false }, undefined);
  }

  override most(): number {
    return Number.POSITIVE_INFINITY;
  }

  override spend(): undefined {
    return undefined;
  }

  override charge(): undefined {
    return undefined;
  }

  override spentOf(): undefined {
    return undefined;
  }
}
