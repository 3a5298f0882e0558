import { expect, test } from 'vitest';
import { parseCommandLine } from '../../../src/cli/command-line.ts';
import { runScriptAlone } from '../../cli/run-script.ts';
import { adminDatabaseUrl } from '../../support/postgres.ts';
import { describeWithOwnRedis } from '../../support/redis.ts';
import { readSoakOptions, SOAK } from './options.ts';
import { formatSoak, isWrong, tooFew } from './report.ts';
import type { SoakReport } from './run-soak.ts';

function options(...argv: string[]) {
  const line = parseCommandLine(SOAK, argv);
  if (line === 'help') throw new Error('help was asked for');
  return readSoakOptions(line);
}

test('without options a million reads are checked, against two processes and without faults', () => {
  expect(options()).toMatchObject({ reads: 1_000_000, seconds: Infinity, processes: 2, faults: false });
  expect(() => options('--processes', '3', '--connections', '2')).toThrow(
    '--connections must be a whole number between 3',
  );
});

describeWithOwnRedis('a shortened soak', () => {
  test('reads nothing older than an acknowledged write and nothing of another tenant, and is no success when too few of its reads were near a write', async () => {
    const args = ['--reads', '3_000', '--tenants', '8', '--near-writes', '1_000_000', '--json'];
    const { code, stdout, stderr } = await runScriptAlone('soak.ts', args, {
      env: { DATABASE_URL: adminDatabaseUrl() },
    });
    const report: SoakReport = JSON.parse(stdout);
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ processes: 2, stale: 0, foreign: 0, brokenConnections: 0 });
    expect(report.reads).toBeGreaterThanOrEqual(3_000);
    expect(Math.min(report.writes, report.writesPast, report.hitRate)).toBeGreaterThan(0);
    expect(isWrong(report)).toBe(false);
    expect(tooFew(report, 1)).toBeNull();
    expect(code).toBe(3);
    expect(stderr).toMatch(/Only [\d,]+ reads began within 10 ms of a write of their tenant, 1,000,000 were wanted/);
    expect(tooFew({ ...report, soonAfterWrite: 4 }, 4)).toBeNull();
    expect(tooFew({ ...report, soonAfterWrite: 4 }, options().nearWrites)).toMatch(
      /^Only 4 reads began within 10 ms of a write of their tenant, 100 were wanted: this shows nothing\.\nGive more /,
    );
    expect(formatSoak(report)).toContain('stale reads          0');
  }, 120_000);
});
