// Run by exit-guard.mjs: stops the server in the folder given unless somebody uses it.
import { placeIn } from './place.mjs';
import { withProcessLock } from './process-lock.mjs';
import { stopIfUnused } from './stop.mjs';

const home = process.argv[2];
if (!home) throw new Error('The folder of an embedded PostgreSQL was expected as the only argument.');
const place = placeIn(home);
await withProcessLock(place.lock, () => stopIfUnused(place));
