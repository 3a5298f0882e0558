/**
 * A step could not be done. The message is meant for the person at the terminal, and says what to
 * do.
 */
export class BootstrapError extends Error {
  /** @override */
  name = 'BootstrapError';
}
