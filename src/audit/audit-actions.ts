import { AUDITED_MUTATIONS } from './mutation-keys.ts';

/** Operators' commands that leave a line, as in `npm run <command>`. */
const OPERATOR_COMMANDS = [
  'cache:invalidate',
  'db:grant',
  'db:migrate',
  'db:seed',
  'import',
  'indexes:create',
  'statistics:rebuild',
  'tenants:budget',
  'tenants:retention',
  'token',
] as const;
export type OperatorCommand = (typeof OPERATOR_COMMANDS)[number];

/** All that the log may have for an action. Refused tokens are `token`, too. */
export const AUDIT_ACTIONS: readonly string[] = [...AUDITED_MUTATIONS, 'refresh', ...OPERATOR_COMMANDS, 'audit:lost'];
