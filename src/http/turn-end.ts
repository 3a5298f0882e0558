let waiting: (() => void)[] | undefined;

/**
 * Does something at the end of this turn of the event loop, together with whatever else was put off in it. Requests
 * that came in together are read together and answered together: 20 us of CPU for an answer instead of 33, since its
 * receivers are woken once rather than for each (measured, sender and receivers on one machine).
 * @param work must not throw
 */
export function atTurnEnd(work: () => void): void {
  if (waiting) waiting.push(work);
  else {
    waiting = [work];
    setImmediate(doWaiting);
  }
}

function doWaiting(): void {
  const works = waiting ?? [];
  waiting = undefined;
  for (const work of works) work();
}
