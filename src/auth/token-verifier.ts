import { createSecretKey } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { errors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { AuthConfig } from '../config/config.ts';
import { clientError, ErrorCode, httpHead, unauthenticated, unavailable } from '../errors.ts';
import { knownFailure } from '../tenancy/known-failure.ts';
import type { TenantDirectory } from '../tenancy/tenant-directory.ts';
import { TenantScope } from '../tenancy/tenant-scope.ts';
import type { Caller, CallerTenant } from './caller.ts';
import { type Claims, readClaims, TokenRefusal } from './claims.ts';
import { signingSecret } from './development-secret.ts';
import { createRemoteVerifier, KeysUnavailable, type VerifyRemotely } from './remote-keys.ts';

/** By how much the clocks of issuer and service may differ. */
const CLOCK_TOLERANCE_SECONDS = 5;
const MAX_TOKEN_CHARACTERS = 8 * 1024;

const MAX_REMEMBERED = 10_000;
/** In characters of tokens: an average of 1.6 kB at the full number. */
const MAX_REMEMBERED_CHARACTERS = 16 * 1024 * 1024;

/** The age at which a remembered caller's tenant is looked for again, beside the request. */
const RECHECK_AFTER_MS = 10_000;
/**
 * The age at which a request waits for that. A deleted tenant is refused this long after, plus the
 * directory's memory.
 */
const RECHECK_BEFORE_MS = 15_000;

const SECRET_ALGORITHMS = ['HS256'];
/** Asymmetric ones only: a public key must never be taken for a shared secret. */
const PUBLIC_KEY_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** Told in English, for the log; never the token or a claim's value. */
export interface VerifierLog {
  /** Why a token was refused. */
  debug(message: string): void;
  /** Why tokens cannot be judged at the moment. */
  warn(message: string): void;
}

export interface TokenVerifier {
  /**
   * The caller of a token that was verified before and still holds: no cryptography, no waiting.
   * Undefined means that `verify` must be asked.
   */
  peek(token: string): Caller | undefined;
  /**
   * @throws unauthenticated() for a token that does not hold, whatever the reason; a
   *   SERVICE_UNAVAILABLE error when that cannot be told, because the identity provider or the
   *   database does not answer
   */
  verify(token: string): Promise<Caller>;
}

interface Remembered {
  readonly claims: Claims;
  readonly caller: Caller;
  /** When the directory was asked for its tenant, on the monotonic clock. */
  readonly checkedAtMs: number;
  rechecking: boolean;
}

/**
 * Verifies bearer tokens: HS256 with the shared secret, or the public keys of AUTH_JWKS_URL. Issuer
 * and audience are checked where they are set. Without either setting the development secret is
 * used, which production refuses.
 * @throws OperatorError when there is no secret to verify with
 */
export function createTokenVerifier(
  auth: AuthConfig,
  production: boolean,
  directory: TenantDirectory,
  log: VerifierLog = { debug() {}, warn() {} },
): TokenVerifier {
  return new JwtVerifier(claimsReader(auth, production, log), directory, log);
}

class JwtVerifier implements TokenVerifier {
  readonly #readClaims: (token: string) => Promise<Claims>;
  readonly #directory: TenantDirectory;
  readonly #log: VerifierLog;
  readonly #remembered = new LRUCache<string, Remembered>({
    max: MAX_REMEMBERED,
    maxSize: MAX_REMEMBERED_CHARACTERS,
    sizeCalculation: (_, token) => token.length,
  });

  constructor(readClaims: (token: string) => Promise<Claims>, directory: TenantDirectory, log: VerifierLog) {
    this.#readClaims = readClaims;
    this.#directory = directory;
    this.#log = log;
  }

  peek(token: string): Caller | undefined {
    const known = this.#unexpired(token);
    if (!known) return undefined;
    const ageMs = performance.now() - known.checkedAtMs;
    if (ageMs >= RECHECK_BEFORE_MS) return undefined;
    if (ageMs >= RECHECK_AFTER_MS && !known.rechecking) {
      known.rechecking = true;
      this.#recheck(token, known);
    }
    return known.caller;
  }

  async verify(token: string): Promise<Caller> {
    try {
      const caller = this.peek(token);
      if (caller) return caller;
      const claims = this.#unexpired(token)?.claims ?? (await this.#readClaims(token));
      return await this.#admit(token, claims);
    } catch (error) {
      if (!(error instanceof TokenRefusal)) throw error;
      this.#log.debug(`A token was refused: ${error.message}.`);
      throw unauthenticated(error);
    }
  }

  #unexpired(token: string): Remembered | undefined {
    const known = this.#remembered.get(token);
    if (known && Date.now() < (known.claims.expiresAtSeconds + CLOCK_TOLERANCE_SECONDS) * 1000) return known;
    if (known) this.#remembered.delete(token);
    return undefined;
  }

  /** Makes the caller, as the directory knows the tenant at this moment, and remembers them. */
  async #admit(token: string, claims: Claims): Promise<Caller> {
    const { subject, name, role } = claims;
    const tenant = claims.tenant === null ? null : await this.#findTenant(claims.tenant);
    if (tenant === undefined) {
      this.#remembered.delete(token);
      throw new TokenRefusal('its tenant does not exist');
    }
    const caller = Object.freeze({ subject, name, role, tenant });
    this.#remembered.set(token, { claims, caller, checkedAtMs: performance.now(), rechecking: false });
    return caller;
  }

  async #findTenant(idOrSlug: string): Promise<CallerTenant | undefined> {
    const found = await this.#directory.find(idOrSlug).catch((error) => {
      const known = knownFailure(error);
      throw known?.extensions.code === ErrorCode.Unavailable ? known : unavailable(error);
    });
    if (!found) return undefined;
    const { id, slug, pointsPerMinute = null } = found;
    return { scope: TenantScope.ofVerifiedCaller(id), slug, pointsPerMinute };
  }

  #recheck(token: string, known: Remembered): void {
    this.#admit(token, known.claims)
      .catch((error: Error) => {
        this.#log.debug(`A remembered token could not be confirmed: ${error.message}`);
      })
      .finally(() => {
        known.rechecking = false;
      });
  }
}

/** The claims of a token whose signature and times hold. */
function claimsReader(auth: AuthConfig, production: boolean, log: VerifierLog): (token: string) => Promise<Claims> {
  const { algorithms, verify } = signatureOf(auth, production, log);
  const options = {
    algorithms,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    ...(auth.issuer && { issuer: auth.issuer }),
    ...(auth.audience && { audience: auth.audience }),
  };
  return async (token) => {
    if (token.length > MAX_TOKEN_CHARACTERS) throw new TokenRefusal('it is longer than 8 kB');
    const { payload } = await verify(token, options).catch(refuse);
    return readClaims(payload);
  };
}

function signatureOf(
  auth: AuthConfig,
  production: boolean,
  log: VerifierLog,
): { readonly algorithms: string[]; readonly verify: VerifyRemotely } {
  if (auth.jwksUrl) {
    const verify = createRemoteVerifier(auth.jwksUrl, (error) => log.warn(error.message));
    return { algorithms: PUBLIC_KEY_ALGORITHMS, verify };
  }
  const secret = createSecretKey(signingSecret(auth, production), 'utf8');
  const previous = auth.previousSecret === undefined ? undefined : createSecretKey(auth.previousSecret, 'utf8');
  return {
    algorithms: SECRET_ALGORITHMS,
    verify: (token, options) =>
      jwtVerify(token, secret, options).catch((error) => {
        if (!previous || !(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
        return jwtVerify(token, previous, options);
      }),
  };
}

function refuse(error: Error): never {
  if (!(error instanceof KeysUnavailable)) throw new TokenRefusal(error.message, { cause: error });
  throw clientError(
    ErrorCode.Unavailable,
    'Tokens cannot be verified at the moment; try again shortly.',
    { http: httpHead(503, ['retry-after', '1']) },
    error,
  );
}
