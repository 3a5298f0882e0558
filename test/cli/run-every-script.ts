// Runs scripts one after another in one process, which loads what they share once: node <this> <argument> <script>...
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [argument = '', ...sources] = process.argv.slice(2);
const outcomes: unknown[] = [];
const write = { stdout: process.stdout.write, stderr: process.stderr.write };
for (const source of sources) {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    process[name].write = ((text: string) => {
      said[name] += text;
      return true;
    }) as typeof process.stdout.write;
  const file = path.resolve(import.meta.dirname, '../..', source);
  process.argv = [process.execPath, file, argument];
  process.exitCode = 0;
  await import(pathToFileURL(file).href);
  outcomes.push({ code: process.exitCode, ...said });
  Object.assign(process.stdout, { write: write.stdout });
  Object.assign(process.stderr, { write: write.stderr });
}
process.exitCode = 0;
process.stdout.write(JSON.stringify(outcomes));
