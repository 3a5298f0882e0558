import { StateError } from '../errors.ts';

export interface ListenedOn {
  readonly host: string;
  readonly port: number;
  /** That names the port. */
  readonly setting: 'PORT' | 'METRICS_PORT';
  /** An example of one that anybody may use. */
  readonly free: number;
}

/** What to say of a port that cannot be listened on. */
export function notBound(cause: NodeJS.ErrnoException, { host, port, setting, free }: ListenedOn): StateError {
  const of = setting === 'PORT' ? '' : ` (${setting})`;
  if (cause.code === 'EADDRINUSE')
    return new StateError(
      `Port ${port} on ${host}${of} is taken by another program.`,
      `Stop that program, or choose another port: ${setting}=${port < 65_535 ? port + 1 : free} npm start`,
      { cause },
    );
  if (cause.code === 'EACCES')
    return new StateError(
      `Port ${port}${of} may not be used by this user.`,
      `Choose one above 1023: ${setting}=${free} npm start`,
      { cause },
    );
  return new StateError(
    `The service cannot listen on ${host}:${port}${of}: ${cause.message}`,
    `Check HOST and ${setting}.`,
    { cause },
  );
}
