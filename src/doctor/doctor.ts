import { type Check, makeChecks, type Result } from './check.ts';
import { databaseWayChecks } from './database-way.ts';
import { loginChecks } from './login.ts';
import { nodeChecks } from './node.ts';
import { outboxChecks } from './outbox.ts';
import { redisChecks } from './redis.ts';
import { schemaChecks } from './schema.ts';
import { serverChecks } from './server.ts';
import { settingsChecks } from './settings.ts';
import { type SubjectOptions, subjectOf } from './subject.ts';
import { tokenChecks } from './tokens.ts';

const CHECKS: readonly Check[] = [
  ...nodeChecks,
  ...settingsChecks,
  ...tokenChecks,
  ...databaseWayChecks,
  ...serverChecks,
  ...schemaChecks,
  ...loginChecks,
  ...outboxChecks,
  ...redisChecks,
];

/**
 * Looks at everything that can be wrong with a deployment, and changes nothing.
 * @param limitMs of each check; as a person waits for it when absent
 */
export function examine(options: SubjectOptions = {}, limitMs?: number): Promise<readonly Result[]> {
  return makeChecks(CHECKS, subjectOf(options), limitMs);
}
