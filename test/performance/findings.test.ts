import 'reflect-metadata';
import { expect, it } from 'vitest';
import { FindingStatus } from '../../src/performance/finding.type.ts';
import { type Examined, Findings } from '../../src/performance/findings.ts';

const FAULT: Examined = { name: 'some', status: 'fault', found: 'it is off', remedy: 'Switch it on.' };

it('looks once for all who ask meanwhile, and again after half a minute', async () => {
  let nowMs = 0;
  let looks = 0;
  const findings = new Findings(
    async () => {
      looks++;
      return [FAULT, { ...FAULT, status: 'ok' }, { ...FAULT, status: 'skipped' }];
    },
    () => nowMs,
  );
  const [first, second] = await Promise.all([findings.read(), findings.read()]);
  expect(first).toEqual([{ check: 'some', status: FindingStatus.FAULT, found: 'it is off', remedy: 'Switch it on.' }]);
  expect(second).toEqual(first);
  nowMs += 29_999;
  await findings.read();
  expect(looks).toBe(1);
  nowMs += 1;
  await findings.read();
  expect(looks).toBe(2);
});

it('looks again at once when looking failed', async () => {
  let fails = true;
  const findings = new Findings(async () => {
    if (fails) throw new Error('cannot look');
    return [FAULT];
  });
  await expect(findings.read()).rejects.toThrow('cannot look');
  fails = false;
  expect(await findings.read()).toHaveLength(1);
});
