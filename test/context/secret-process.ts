// One of several processes that ask for the development secret at the same time (development-secret.test.ts).
import { developmentSecret } from '../../src/context/development-secret.ts';

process.send?.(developmentSecret(process.argv[2] ?? ''));
process.disconnect?.();
