import type { ServiceSubject } from '../startup/serve.ts';
import { type Check, makeChecks, type Result, warning } from './check.ts';
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

/**
 * What a service that runs has no need of: its start refuses to go on, or it would ask a server of
 * others.
 */
const OF_THE_START: readonly string[] = ['Node.js', 'settings', 'pooler', 'keys of tokens'];
/** Operators wait for it, and a look-up that hangs says nothing else later. */
const SERVICE_LIMIT_MS = 3_000;

/** Looks at the surroundings of a service that runs, as it reaches them, and changes nothing. */
export function examineService(subject: ServiceSubject): Promise<readonly Result[]> {
  const checks = CHECKS.filter(({ name }) => !OF_THE_START.includes(name));
  const asked = { env: process.env, problems: [], nowMs: Date.now, ...subject };
  // What hangs must not look like what is well.
  const late = (said: string) =>
    warning(said, 'Look whether PostgreSQL or Redis hangs, or a lock is held: npm run doctor');
  return makeChecks(checks, asked, SERVICE_LIMIT_MS, late);
}
