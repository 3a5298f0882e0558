import { expect, test } from 'vitest';

import { readSoakOptions, SOAK } from '../../scripts/soak/options.ts';
import { formatSoak, isWrong, tooFew } from '../../scripts/soak/report.ts';
import { runSoak } from '../../scripts/soak/run-soak.ts';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { Progress } from '../../src/cli/progress.ts';
import { runScript } from '../cli/run-script.ts';
import { adminDatabaseUrl } from '../support/postgres.ts';
import { describeWithOwnRedis } from '../support/redis.ts';

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
  test('is no success when too few of its reads were near a write', async () => {
    const args = ['--reads', '1', '--tenants', '8', '--connections', '2'];
    const { code, stdout, stderr } = await runScript('soak.ts', args, { env: { DATABASE_URL: adminDatabaseUrl() } });
    expect({ code, stdout }).toEqual({ code: 3, stdout: expect.stringContaining('stale reads          0') });
    expect(stderr).toMatch(/Only \d reads began within 10 ms of a write of their tenant, 100 were wanted/);
  }, 120_000);

  test('no read of two processes is older than a write acknowledged before it, and none shows another tenant', async () => {
    const silent = new Progress({ write: () => true });
    const report = await runSoak(options('--reads', '3_000', '--tenants', '8'), silent, adminDatabaseUrl());
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ stale: 0, foreign: 0, brokenConnections: 0 });
    expect(report.reads).toBeGreaterThanOrEqual(3_000);
    expect(Math.min(report.writes, report.writesPast, report.hitRate)).toBeGreaterThan(0);
    expect(isWrong(report)).toBe(false);
    expect(tooFew(report, 1)).toBeNull();
    expect(tooFew({ ...report, soonAfterWrite: 4 }, 4)).toBeNull();
    expect(tooFew({ ...report, soonAfterWrite: 4 }, options().nearWrites)).toMatch(
      /^Only 4 reads began within 10 ms of a write of their tenant, 100 were wanted: this shows nothing\.\nGive more /,
    );
    expect(formatSoak(report)).toContain('stale reads          0');
  }, 120_000);
});
