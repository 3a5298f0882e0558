import { pendingMigrations } from '../database/database-state.ts';
import { databaseFaults, remedyOf } from '../database/faults.ts';
import { refuseUnmigrated } from '../startup/open-database.ts';
import { type Check, fault, ok } from './check.ts';
import { DATABASE } from './database-way.ts';
import { asService } from './subject.ts';

export const MIGRATIONS = 'migrations';

export const schemaChecks: readonly Check[] = [
  {
    name: MIGRATIONS,
    needs: [DATABASE],
    async look(subject) {
      refuseUnmigrated(await asService(subject, pendingMigrations));
      return ok('all are applied');
    },
  },
  {
    name: 'triggers, policies, functions, keys',
    needs: [DATABASE, MIGRATIONS],
    async look(subject) {
      const faults = await asService(subject, databaseFaults);
      if (faults.length === 0) return ok('all are as they must be');
      const found = faults.map((it) => `${it.object} ${it.fault}`).join('; ');
      const then = faults.length > 1 ? '\n' : ' ';
      return fault(found, `${remedyOf(faults)}${then}Then: npm run statistics:check`);
    },
  },
];
