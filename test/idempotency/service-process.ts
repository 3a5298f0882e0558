// A service in a process of its own, for crash.test.ts to kill. Its argument is the URL of the database.
import { startService } from '../support/service.ts';

const service = await startService({ database: { name: '', url: process.argv[2] ?? '', drop: async () => {} } });
process.send?.(service.url);
