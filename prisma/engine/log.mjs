/**
 * Writes one line of the log that Prisma's command line reads from an engine's stderr: JSON, one
 * object a line.
 * @param {'INFO' | 'WARN' | 'ERROR'} level an ERROR's message is what the person sees when the
 *   engine dies
 * @param {string} message
 * @param {Record<string, unknown>} [fields] what else the line carries, as `error_code`
 */
export function log(level, message, fields = {}) {
  const line = {
    timestamp: new Date().toISOString(),
    level,
    fields: { message, ...fields },
    target: 'schema_engine::logger',
  };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}
