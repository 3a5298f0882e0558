// Run by exit-guard.mjs: stops the server in the folder given unless somebody uses it.
import path from 'node:path';

import { withProcessLock } from './process-lock.mjs';
import { stopIfUnused } from './stop.mjs';

const home = process.argv[2];
if (!home) throw new Error('The folder of an embedded PostgreSQL was expected as the only argument.');
await withProcessLock(path.join(home, 'lock'), () =>
  stopIfUnused({ users: path.join(home, 'users'), data: path.join(home, 'data') }),
);
