import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OutageLog } from '../../src/app/outage-log.ts';
import { OperatorError } from '../../src/errors.ts';

const WORDS = { began: 'it fails', over: 'it works again' };

describe('the log of an outage', () => {
  let lines: [level: string, fields: object, message: string][];
  let log: OutageLog;
  beforeEach(() => {
    vi.useFakeTimers();
    lines = [];
    const at = (level: string) => (fields: object, message: string) => void lines.push([level, fields, message]);
    log = new OutageLog({ error: at('error'), warn: at('warn'), info: at('info'), debug: () => {} } as never, WORDS);
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  /** Fails four times a second. */
  function failFor(seconds: number, error = new Error('connect ECONNREFUSED')): void {
    for (let n = 0; n < 4 * seconds; n++) {
      log.failed(error);
      vi.advanceTimersByTime(250);
    }
  }

  it('has one line when it begins, without a stack, and one when it is over', () => {
    failFor(30);
    log.recovered();
    vi.advanceTimersByTime(1_000);
    log.recovered();
    vi.advanceTimersByTime(600_000);
    expect(lines).toEqual([
      ['warn', { reason: 'connect ECONNREFUSED' }, 'it fails'],
      ['info', { failures: 120, seconds: 31 }, 'it works again'],
    ]);
  });

  it('has one line a minute while it lasts', () => {
    failFor(181);
    expect(lines.map(([, fields]) => fields)).toEqual([
      { reason: 'connect ECONNREFUSED' },
      ...[60, 120, 180].map((seconds) => ({ reason: 'connect ECONNREFUSED', failures: 4 * seconds + 1, seconds })),
    ]);
  });

  it('is one of what goes and comes within a second', () => {
    for (let n = 0; n < 20; n++) {
      failFor(1);
      log.recovered();
      vi.advanceTimersByTime(500);
    }
    expect(lines).toHaveLength(1);
    vi.advanceTimersByTime(500);
    expect(lines.at(-1)?.[0]).toBe('info');
  });

  it('names each remedy once, as an error', () => {
    failFor(10, new OperatorError('two databases', 'set a prefix'));
    failFor(10, new OperatorError('no trigger', 'enable it'));
    failFor(10, new OperatorError('two databases', 'set a prefix'));
    expect(lines).toEqual([
      ['error', { remedy: 'set a prefix' }, 'two databases'],
      ['error', { remedy: 'enable it' }, 'no trigger'],
    ]);
  });

  it('has nothing of what works', () => {
    log.recovered();
    vi.advanceTimersByTime(10_000);
    expect(lines).toEqual([]);
  });
});
