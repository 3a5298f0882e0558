// One of several processes that ask for the development secret at the same time
// (development-secret.test.ts): node <this> <the built module> <file>
import { pathToFileURL } from 'node:url';

const [module = '', file = ''] = process.argv.slice(2);
const { developmentSecret } = await import(pathToFileURL(module).href);
process.send?.(developmentSecret(file));
process.disconnect?.();
