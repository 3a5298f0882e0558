import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFINER_FUNCTIONS } from '../../src/database/required-objects.ts';
import { type Attack, prepareAttack, type Target } from './attack.ts';

let attack: Attack;
beforeAll(async () => {
  attack = await prepareAttack();
}, 60_000);
afterAll(() => attack?.end());

/** What of the attacker's runs while the function is changed. */
async function runChanged(target: Target, change: string): Promise<string[]> {
  const { rows } = await attack.admin.query('SELECT proconfig[1] AS path FROM pg_proc WHERE oid = $1', [target.oid]);
  await attack.admin.query(`ALTER FUNCTION ${target.call} ${change}`);
  try {
    return await attack.run(target);
  } finally {
    await attack.admin.query(`ALTER FUNCTION ${target.call} SET ${rows[0].path.replace('=', ' = ')}`);
  }
}

describe('tables, types, functions and operators of a caller, in pg_temp and in its own schema, are not run with the rights of the owner', () => {
  it('whichever function there is in the catalogue', async () => {
    expect(attack.targets.map(({ name }) => name).sort()).toEqual([...DEFINER_FUNCTIONS].sort());
    for (const target of attack.targets) expect([target.call, await attack.run(target)]).toEqual([target.call, []]);
  });

  it('which the attack finds in each function that has no search path of its own', async () => {
    for (const target of attack.targets) {
      const found = await runChanged(target, 'RESET search_path');
      expect([target.call, found.length > 0]).toEqual([target.call, true]);
    }
  });

  it('which the attack finds by temporary tables and types in functions whose path leaves pg_temp out', async () => {
    const found: string[] = [];
    for (const target of attack.targets)
      if ((await runChanged(target, 'SET search_path = public')).some((what) => what === 'table' || what === 'type'))
        found.push(target.name);
    const notFound = DEFINER_FUNCTIONS.filter((name) => !found.includes(name));
    // It names nothing but other functions, which PostgreSQL never looks for in pg_temp; the others
    // read tables only, and the attacker's are empty.
    expect(notFound.sort()).toEqual([
      'folded_totals_keep_totals_truncate',
      'statistics_rebuild',
      'tenants_rebuild_days',
      'transactions_refuse_folded',
    ]);
  });

  it('which the attack finds in a function that they call, whose path leaves pg_temp out', async () => {
    const target = attack.targets.find(({ name }) => name === 'cache_outbox_add') as Target;
    await attack.admin.query('ALTER FUNCTION may_act_for SET search_path = pg_catalog');
    expect(await attack.run(target)).toEqual(['type']);
    await attack.admin.query('ALTER FUNCTION may_act_for SET search_path = pg_catalog, pg_temp');
    expect(await attack.run(target)).toEqual([]);
  });
});
