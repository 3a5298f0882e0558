import { reachDatabase } from '../database/database-state.ts';
import { refuseForgetfulPooler, sharesSessions } from '../startup/pooler.ts';
import { type Check, fault, ok, skipped } from './check.ts';
import { directUrlOf } from './subject.ts';

export const DATABASE = 'database';
export const DIRECT_WAY = 'way past a pooler';

export const databaseWayChecks: readonly Check[] = [
  {
    name: DATABASE,
    async look({ databaseUrl, isEmbedded }) {
      if (!databaseUrl)
        return skipped('DATABASE_URL is not set, and the embedded PostgreSQL does not run; npm start starts it');
      await reachDatabase(databaseUrl, 'DATABASE_URL');
      return ok(isEmbedded ? 'the embedded PostgreSQL answers' : 'DATABASE_URL answers');
    },
  },
  {
    name: 'pooler',
    needs: [DATABASE],
    async look({ databaseUrl }) {
      await refuseForgetfulPooler(databaseUrl ?? '');
      return ok('statements that were prepared are known again');
    },
  },
  {
    name: DIRECT_WAY,
    needs: [DATABASE],
    async look(subject) {
      const { directUrl } = subject.config.database;
      if (directUrl) await reachDatabase(directUrl, 'DATABASE_DIRECT_URL');
      const named = directUrl ? 'DATABASE_DIRECT_URL' : 'DATABASE_URL';
      if (!(await sharesSessions(directUrlOf(subject)))) return ok(`${named} leads to sessions of its own`);
      return fault(
        `${named} leads to a pooler that shares sessions: nothing kept is trusted, every answer comes from PostgreSQL`,
        'Set DATABASE_DIRECT_URL to PostgreSQL itself, or to a pooler with pool_mode = session.',
      );
    },
  },
];
