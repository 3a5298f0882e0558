// A process of its own, like the load generator's: what floods a server must not hold up what is
// measured beside it.
import { type ArrivalsJob, runArrivals } from './arrivals.ts';

let stopping = new AbortController();

process.on('message', (message: ArrivalsJob | 'stop') => {
  if (message === 'stop') {
    stopping.abort();
    return;
  }
  stopping = new AbortController();
  runArrivals(message, stopping.signal).then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
process.on('disconnect', () => process.exit(0));
