/**
 * How many small POST requests one turn of the event loop looks up in the process; those that are
 * no hit go on to Fastify. A flood of them would make turns as long as it has connections, and what
 * needs several turns, such as every answer from PostgreSQL, would wait for each.
 */
const MAX_LOOKUPS = 16;

/**
 * Since the end of the last turn, and at that end. Both count: what comes in next follows them
 * without a pause.
 */
let lookups = 0;
let lookupsAtLastEnd = 0;
/** Wait for a later turn, in the order in which they came. */
const delayed: (() => void)[] = [];
let ending: (() => void)[] = [];
let isDue = false;

/**
 * Looks something up now, or at the end of one of the next turns of the event loop when this one
 * has done enough of it.
 * @param work must not throw
 */
export function lookUpInTurn(work: () => void): void {
  endInTime();
  if (lookups + lookupsAtLastEnd < MAX_LOOKUPS && delayed.length === 0) {
    lookups++;
    work();
  } else delayed.push(work);
}

/**
 * Does something at the end of this turn of the event loop, together with whatever else was put off
 * in it. Requests that came in together are read together and answered together: its receivers are
 * woken once rather than for each.
 * @param work must not throw
 */
export function writeTogether(work: () => void): void {
  endInTime();
  ending.push(work);
}

function endInTime(): void {
  if (isDue) return;
  isDue = true;
  setImmediate(endTurn);
}

function endTurn(): void {
  isDue = false;
  const due = delayed.splice(0, MAX_LOOKUPS - lookups);
  lookups = MAX_LOOKUPS; // what these bring about comes behind them
  for (const work of due) work();
  const works = ending;
  ending = [];
  for (const work of works) work();
  lookups = 0;
  lookupsAtLastEnd = due.length;
  if (lookupsAtLastEnd > 0 || delayed.length > 0) endInTime();
}
