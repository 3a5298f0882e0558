import path from 'node:path';

import { startProcess } from './child-process.ts';
import type { Cleanup } from './cleanup.ts';
import type { LoadJob, LoadResult } from './load-job.ts';

type LoadAnswer = { readonly result: LoadResult } | { readonly error: string };

/** The load generator, in a process of its own. One job at a time. */
export class Load {
  readonly #process;

  constructor(cleanup: Cleanup) {
    const program = path.join(import.meta.dirname, 'load-process.js');
    this.#process = startProcess(process.execPath, [program], cleanup, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
  }

  /** @throws with the wrong answer when one came */
  run(job: LoadJob): Promise<LoadResult> {
    const { child, output } = this.#process;
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error(`the load generator ended: ${output()}`));
      child.once('exit', onExit);
      child.once('message', (answer: LoadAnswer) => {
        child.off('exit', onExit);
        if ('result' in answer) resolve(answer.result);
        else reject(new Error(answer.error));
      });
      child.send(job);
    });
  }

  /** Ends the process. */
  stop(): Promise<void> {
    return this.#process.stop();
  }
}
