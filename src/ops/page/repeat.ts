const PAUSE_MS = 10_000;

/**
 * One reading. It shows nothing once the signal is aborted.
 * @param isAskedFor by the person; otherwise its time has come
 */
export type Reading = (signal: AbortSignal, isAskedFor: boolean) => Promise<void>;

export interface Repetition {
  /** Reads at once, or as soon as the reading that is under way has ended. */
  readonly now: () => void;
  /** For good, with the reading that is under way. */
  readonly end: () => void;
}

/** Reads at once, and ten seconds after each reading, while the page is visible: never two at a time. */
export function repeat(read: Reading): Repetition {
  const ending = new AbortController();
  const { signal } = ending;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isUnderWay = false;
  let isAskedFor = false;
  const go = async () => {
    clearTimeout(timer);
    if (isUnderWay || document.visibilityState !== 'visible') return;
    isUnderWay = true;
    do {
      const wasAskedFor = isAskedFor;
      isAskedFor = false;
      await read(signal, wasAskedFor);
    } while (isAskedFor && !signal.aborted);
    isUnderWay = false;
    if (!signal.aborted) timer = setTimeout(go, PAUSE_MS);
  };
  const now = () => {
    isAskedFor = true;
    void go();
  };
  const end = () => {
    ending.abort();
    clearTimeout(timer);
  };
  document.addEventListener('visibilitychange', go, { signal });
  void go();
  return { now, end };
}
