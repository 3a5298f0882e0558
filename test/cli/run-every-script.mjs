// Runs programs one after another in one process, which loads what they share once: node <this>
// <argument> <program>...
import { pathToFileURL } from 'node:url';

const [argument = '', ...programs] = process.argv.slice(2);
const outcomes = [];
const write = { stdout: process.stdout.write, stderr: process.stderr.write };
for (const program of programs) {
  const said = { stdout: '', stderr: '' };
  for (const name of /** @type {const} */ (['stdout', 'stderr']))
    process[name].write = (text) => {
      said[name] += text;
      return true;
    };
  process.argv = [process.execPath, program, argument];
  process.exitCode = 0;
  await import(pathToFileURL(program).href);
  outcomes.push({ code: process.exitCode, ...said });
  Object.assign(process.stdout, { write: write.stdout });
  Object.assign(process.stderr, { write: write.stderr });
}
process.exitCode = 0;
process.stdout.write(JSON.stringify(outcomes));
