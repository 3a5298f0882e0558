// The load generator's process: so that its work is neither on the servers' account nor held up by
// the bench's own.
import type { LoadJob } from './load-job.ts';
import { runLoad } from './load-run.ts';

process.on('message', (job: LoadJob) => {
  runLoad(job).then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
process.on('disconnect', () => process.exit(0));
