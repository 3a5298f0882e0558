import { REQUIRED_TRIGGERS } from '../../../src/database/required-objects.ts';

const OF_TRANSACTIONS = REQUIRED_TRIGGERS.filter(({ table }) => table === 'transactions');

/** Lets nothing be told or counted of the rows of `transactions`. */
export const DISABLE_TRIGGERS = switchTriggers(() => false);

/**
 * `ENABLE TRIGGER USER` would let them sleep while a session replays, and the service refuses to
 * start then.
 */
export const ENABLE_TRIGGERS = switchTriggers(() => true);

/** SQL that switches each trigger of `transactions` on, to fire for whoever it has to, or off. */
export function switchTriggers(isOn: (name: string) => boolean): string {
  return OF_TRANSACTIONS.map(
    ({ name, firing }) => `ALTER TABLE transactions ${isOn(name) ? `ENABLE ${firing}` : 'DISABLE'} TRIGGER ${name}`,
  ).join('; ');
}
