import { statSync } from 'node:fs';
import { type Check, type Finding, fault, ok, skipped, warning } from './check.ts';

/** Settings that hold a secret, or a URL with one. */
const SECRET = ['DATABASE_URL', 'DATABASE_DIRECT_URL', 'REDIS_URL', 'AUTH_SECRET', 'AUTH_SECRET_PREVIOUS'] as const;
/** Orchestrators mount secrets readable by all there, into a container that has one user. */
const MOUNTED = /^\/(?:var\/)?run\/secrets\//;
const READ_BY_OTHERS = 0o077;

export const settingsChecks: readonly Check[] = [
  {
    name: 'settings',
    async look({ problems, config }) {
      if (problems.length === 0) return ok(`${config.production ? 'production' : 'development'}, all of them hold`);
      return problems.map((problem) => fault(problem, 'Correct it in the environment, or in the file .env.'));
    },
  },
  {
    name: 'files of secrets',
    async look({ env }) {
      if (process.platform === 'win32') return skipped('rights of files are not told on Windows');
      const files = SECRET.flatMap((name) => {
        const file = env[`${name}_FILE`]?.trim();
        return file ? [{ name: `${name}_FILE`, file }] : [];
      });
      if (files.length === 0) return ok('none is in use');
      const found = files.flatMap(exposed);
      return found.length ? found : ok(`${files.map(({ name }) => name).join(', ')}: read by their owner alone`);
    },
  },
];

function exposed({ name, file }: { name: string; file: string }): Finding[] {
  // One that is not there is a setting that does not hold.
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
  if (MOUNTED.test(file) || !(mode & READ_BY_OTHERS)) return [];
  const shown = `0${(mode & 0o777).toString(8)}`;
  return [warning(`${name}: others may read or write ${file} (mode ${shown})`, `Run: chmod 600 ${file}`)];
}
