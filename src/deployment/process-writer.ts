import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Loop, repeat } from '../loop.ts';
import type { Figures } from '../monitoring/figures.ts';
import { snapshotOf } from '../monitoring/figures-snapshot.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { OwnProcess } from './own-process.ts';
import { MAX_FIGURES_BYTES, removeProcess, writeProcess } from './process.repository.ts';

const WRITE_MS = 10_000;
/** Each time leaves a dead copy of them, of up to megabytes, to be vacuumed. */
const ROUNDS_PER_FIGURES = 3;

/**
 * Writes how this process is to its row of `service_processes`, every few seconds, where the others
 * read it, and what it counted every half minute. Figures that did not change are not written again.
 * The row goes with the process.
 */
export class ProcessWriter {
  readonly #loop: Loop;
  /** Of the figures that are written. */
  #digest = '';
  #writing: Promise<void> = Promise.resolve();
  #rounds = 0;

  /** @param onWorks called after every write */
  constructor(
    private readonly database: TenantDatabase,
    private readonly own: OwnProcess,
    private readonly figures: Figures,
    onError: (error: Error) => void,
    onWorks = () => {},
  ) {
    const write = async () => {
      await this.round();
      onWorks();
    };
    this.#loop = repeat(write, WRITE_MS, onError);
  }

  /** One at a time. @throws when that fails; it is written the next time */
  write(): Promise<void> {
    return this.#inTurn(true);
  }

  /** What is written every few seconds: figures in one round of three, or when they are not there. */
  round(): Promise<void> {
    return this.#inTurn(this.#rounds++ % ROUNDS_PER_FIGURES === 0);
  }

  /** @throws when the row cannot be removed; others do it minutes later */
  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.database.withConnection((connection) => removeProcess(connection, this.own.identity.id));
  }

  #inTurn(withFigures: boolean): Promise<void> {
    // Its own caller is told of a failure.
    this.#writing = this.#writing.catch(() => {}).then(() => this.#write(withFigures || this.#digest === ''));
    return this.#writing;
  }

  async #write(withFigures: boolean): Promise<void> {
    const json = withFigures ? JSON.stringify(snapshotOf(this.figures)) : undefined;
    const digest = json === undefined ? this.#digest : createHash('sha1').update(json).digest('base64');
    const figures = json === undefined || digest === this.#digest ? null : await this.#compressed(json);
    const { identity, state } = this.own;
    const isThere = await this.database.withConnection((connection) =>
      writeProcess(connection, identity, state(), figures),
    );
    this.#digest = isThere ? digest : '';
  }

  async #compressed(json: string): Promise<Buffer> {
    const whole = await promisify(gzip)(json);
    if (whole.length <= MAX_FIGURES_BYTES) return whole;
    return promisify(gzip)(JSON.stringify(snapshotOf(this.figures, { texts: false })));
  }
}
