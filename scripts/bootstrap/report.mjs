/**
 * Tells the person at the terminal, not the program that reads the command's output.
 * @param {string} line
 */
export function report(line) {
  process.stderr.write(`[tenantry] ${line}\n`);
}
