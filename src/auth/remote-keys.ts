import {
  type CryptoKey,
  createRemoteJWKSet,
  customFetch,
  decodeProtectedHeader,
  type ExportedJWKSCache,
  errors,
  type FetchImplementation,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  type JWTVerifyResult,
  jwksCache,
  jwtVerify,
} from 'jose';

/** Keys are asked for again after this time, beside the requests. */
const REFRESH_AFTER_MS = 10 * 60_000;
/** How long known keys are trusted while the identity provider does not answer. */
const TRUSTED_FOR_MS = 60 * 60_000;
/**
 * A token with an unknown key makes the keys be read again, but no sooner than this after the last
 * time.
 */
const UNKNOWN_KEY_COOLDOWN_MS = 30_000;
/** After a failure the provider is left alone for so long. */
const FAILURE_COOLDOWN_MS = 1_000;
const TIMEOUT_MS = 3_000;
/** Of keys that a token may be signed with, when it names none. Providers publish two or three. */
const MAX_KEYS_TRIED = 10;

/** The keys to judge a token with cannot be had at the moment; it says nothing about the token. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable';
}

/**
 * Verifies a token's signature and claims. @throws KeysUnavailable, or what jose says of the token
 */
export type VerifyRemotely = (token: string, options: JWTVerifyOptions) => Promise<JWTVerifyResult>;

/**
 * Verifies with the public keys of an identity provider, remembered and refreshed. An outage of the
 * provider is not felt as long as the remembered keys are younger than an hour. A token that does
 * not name its key is tried with each that suits.
 * @param onOutage told why the keys could not be read, at most once a second
 */
export function createRemoteVerifier(url: string, onOutage: (error: KeysUnavailable) => void): VerifyRemotely {
  const cache: Partial<ExportedJWKSCache> = {};
  const keys = createRemoteJWKSet(new URL(url), {
    cacheMaxAge: TRUSTED_FOR_MS,
    cooldownDuration: UNKNOWN_KEY_COOLDOWN_MS,
    timeoutDuration: TIMEOUT_MS,
    [jwksCache]: cache as ExportedJWKSCache,
    [customFetch]: fetchWithCooldown(),
  });
  const outage = outageReporter(onOutage);
  const getKey: JWTVerifyGetKey = (header, token) =>
    keys(header, token).catch((error) => {
      throw isAboutTheToken(error) ? error : outage(error);
    });
  const verifyWithFitting = fittingVerifier();
  const verify: VerifyRemotely = (token, options) =>
    jwtVerify(token, getKey, options).catch((error) => {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyWithFitting(error, token, options);
      throw error;
    });
  return async (token, options) => {
    if (cache.uat !== undefined && Date.now() - cache.uat > REFRESH_AFTER_MS && !keys.reloading)
      keys.reload().catch(outage);
    try {
      return await verify(token, options);
    } catch (error) {
      // A key that was added since: jose looks for one only when a token names it.
      if (!(error instanceof errors.JWSSignatureVerificationFailed) || namesKey(token) || keys.coolingDown) throw error;
      await keys.reload().catch((cause) => {
        throw outage(cause);
      });
      return verify(token, options);
    }
  };
}

/**
 * Reads the keys once, as the first token would. @returns how many there are
 * @throws KeysUnavailable
 */
export async function countRemoteKeys(url: string): Promise<number> {
  const keys = createRemoteJWKSet(new URL(url), { timeoutDuration: TIMEOUT_MS, [customFetch]: fetchWithCooldown() });
  await keys.reload().catch((cause) => {
    throw keysUnavailable(cause);
  });
  return keys.jwks()?.keys.length ?? 0;
}

type Matching = InstanceType<typeof errors.JWKSMultipleMatchingKeys>;

/**
 * Tries the keys that suit a token in turn, and first those that fitted others before, the last of
 * them before all.
 */
function fittingVerifier() {
  const fitted = new WeakMap<CryptoKey, number>();
  let count = 0;
  return async (matching: Matching, token: string, options: JWTVerifyOptions): Promise<JWTVerifyResult> => {
    const keys: CryptoKey[] = [];
    for await (const key of matching) if (keys.push(key) === MAX_KEYS_TRIED) break;
    const lastFitted = (key: CryptoKey) => fitted.get(key) ?? 0;
    for (const key of keys.sort((a, b) => lastFitted(b) - lastFitted(a))) {
      try {
        const verified = await jwtVerify(token, key, options);
        fitted.set(key, ++count);
        return verified;
      } catch (error) {
        if (isAboutClaims(error)) throw error; // the key fits
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  };
}

/** Claims are read only once the signature holds. */
function isAboutClaims(error: unknown): boolean {
  return error instanceof errors.JOSEError && error.code.startsWith('ERR_JWT_');
}

function namesKey(token: string): boolean {
  return decodeProtectedHeader(token).kid !== undefined;
}

/** Keeps a provider that is down from being asked by every request. */
function fetchWithCooldown(): FetchImplementation {
  let failure: { cause: unknown; atMs: number } | undefined;
  return async (url, options) => {
    if (failure && Date.now() - failure.atMs < FAILURE_COOLDOWN_MS) throw failure.cause;
    try {
      const response = await fetch(url, options);
      if (response.status !== 200) throw new Error(`status ${response.status} instead of 200`);
      failure = undefined;
      return response;
    } catch (cause) {
      failure = { cause, atMs: Date.now() };
      throw cause;
    }
  };
}

function outageReporter(onOutage: (error: KeysUnavailable) => void): (cause: unknown) => KeysUnavailable {
  let reportedAtMs = 0;
  return (cause) => {
    const error = keysUnavailable(cause);
    if (Date.now() - reportedAtMs >= FAILURE_COOLDOWN_MS) {
      reportedAtMs = Date.now();
      onOutage(error);
    }
    return error;
  };
}

function keysUnavailable(cause: unknown): KeysUnavailable {
  return new KeysUnavailable(`The keys at AUTH_JWKS_URL cannot be read: ${reasonOf(cause)}`, { cause });
}

/** fetch says "fetch failed" and keeps the reason in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}

function isAboutTheToken(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;
}
