// Started by the tests: adds one to a number in a file, several times over, each time under the
// lock. With a last argument `forever` it keeps the lock instead, after saying so.
import { readFileSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

import { withProcessLock } from '../../../src/embedded/process-lock.mjs';

const [directory = '', file = '', times = ''] = process.argv.slice(2);

if (times === 'forever') {
  await withProcessLock(directory, () => {
    process.send?.('locked');
    process.on('disconnect', () => process.exit(1));
    process.channel?.ref();
    return new Promise(() => {});
  });
}
for (let time = 0; time < Number(times); time++) {
  await withProcessLock(directory, async () => {
    const before = Number(readFileSync(file, 'utf8'));
    await setImmediate();
    writeFileSync(file, String(before + 1));
  });
}
