import { countRemoteKeys, KeysUnavailable } from '../auth/remote-keys.ts';
import { MIN_SECRET_BYTES } from '../config/config.ts';
import { counted } from '../counted.ts';
import { type Check, fault, ok, skipped, warning } from './check.ts';

/** Of docker-compose.yml, which anybody can read. */
const SAMPLE = 'only-for-this-machine-and-never-in-production';
const MAKE_ONE = 'Set AUTH_SECRET to the output of: openssl rand -base64 48';

export const tokenChecks: readonly Check[] = [
  {
    name: 'secret of tokens',
    async look({ config: { auth, production } }) {
      if (auth.jwksUrl) return skipped('tokens are signed by the identity provider (AUTH_JWKS_URL)');
      if (!auth.secret)
        return production
          ? skipped('there is none, as "settings" says')
          : ok('the development secret of this clone, under .tenantry/');
      if ([auth.secret, auth.previousSecret].includes(SAMPLE))
        return (production ? fault : warning)('it is the one of docker-compose.yml, which anybody knows', MAKE_ONE);
      const bytes = Buffer.byteLength(auth.secret);
      if (bytes >= MIN_SECRET_BYTES) return ok(counted(bytes, 'byte'));
      if (production) return skipped('it does not hold, as "settings" says');
      return warning(`${counted(bytes, 'byte')}, and production asks for ${MIN_SECRET_BYTES}`, MAKE_ONE);
    },
  },
  {
    name: 'keys of tokens',
    async look({ config: { auth } }) {
      if (!auth.jwksUrl) return skipped('AUTH_JWKS_URL is not set');
      try {
        const keys = await countRemoteKeys(auth.jwksUrl);
        if (keys > 0) return ok(`${counted(keys, 'key')} at AUTH_JWKS_URL`);
        return fault('AUTH_JWKS_URL has no keys', 'Check that it is the address of the JWKS document.');
      } catch (error) {
        if (!(error instanceof KeysUnavailable)) throw error;
        return fault(error.message, 'Check AUTH_JWKS_URL, and that this machine may reach it.');
      }
    },
  },
];
