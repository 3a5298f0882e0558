import type pg from 'pg';
import { type Config, inspectConfig } from '../config/config.ts';
import { withClient } from '../database/database-state.ts';

/** What one check may take. */
export const TIME_LIMIT_MS = 10_000;

/** What is looked at. */
export interface Subject {
  readonly env: NodeJS.ProcessEnv;
  /** By its default where a setting does not hold. */
  readonly config: Config;
  /** What is wrong with settings. */
  readonly problems: readonly string[];
  /** Undefined: there is none to look at. */
  readonly databaseUrl: string | undefined;
  /** Whether it is the embedded one, whose login is a superuser. */
  readonly isEmbedded: boolean;
  nowMs(): number;
}

export interface SubjectOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Of the embedded database, where DATABASE_URL is not set. */
  readonly embeddedUrl?: string | undefined;
  /** This machine's clock. */
  readonly nowMs?: () => number;
}

export function subjectOf({ env = process.env, embeddedUrl, nowMs = Date.now }: SubjectOptions = {}): Subject {
  const { config, problems } = inspectConfig(env);
  const { url } = config.database;
  return { env, config, problems, databaseUrl: url ?? embeddedUrl, isEmbedded: !url && Boolean(embeddedUrl), nowMs };
}

/** Works as the service's login, on a connection that is closed then. */
export async function asService<T>({ databaseUrl }: Subject, work: (client: pg.Client) => Promise<T>): Promise<T> {
  return withClient(databaseUrl ?? '', work, 'DATABASE_URL', TIME_LIMIT_MS);
}

/** The way to a session on the server itself. */
export function directUrlOf({ config, databaseUrl }: Subject): string {
  return config.database.directUrl ?? databaseUrl ?? '';
}
