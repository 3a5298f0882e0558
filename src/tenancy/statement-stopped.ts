/** PostgreSQL stopped a statement for a time limit of its own. */
export class StatementStopped extends Error {
  override readonly name = 'StatementStopped';

  constructor(
    readonly limitMs: number,
    options: ErrorOptions,
  ) {
    super(`the statement took longer than ${limitMs} ms`, options);
  }
}
