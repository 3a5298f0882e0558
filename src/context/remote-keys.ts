import {
  createRemoteJWKSet,
  customFetch,
  type ExportedJWKSCache,
  errors,
  type FetchImplementation,
  type JWTVerifyGetKey,
  jwksCache,
} from 'jose';

/** Keys are asked for again after this time, beside the requests. */
const REFRESH_AFTER_MS = 10 * 60_000;
/** How long known keys are trusted while the identity provider does not answer. */
const TRUSTED_FOR_MS = 60 * 60_000;
/** A token with an unknown key makes the keys be read again, but no sooner than this after the last time. */
const UNKNOWN_KEY_COOLDOWN_MS = 30_000;
/** After a failure the provider is left alone for so long. */
const FAILURE_COOLDOWN_MS = 1_000;
const TIMEOUT_MS = 3_000;

/** The keys to judge a token with cannot be had at the moment; it says nothing about the token. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable';
}

/**
 * The public keys of an identity provider, remembered and refreshed. An outage of the provider is not felt as long as
 * the remembered keys are younger than an hour.
 * @param onOutage told why the keys could not be read, at most once a second
 */
export function createRemoteKeys(url: string, onOutage: (error: KeysUnavailable) => void): JWTVerifyGetKey {
  const cache: Partial<ExportedJWKSCache> = {};
  const keys = createRemoteJWKSet(new URL(url), {
    cacheMaxAge: TRUSTED_FOR_MS,
    cooldownDuration: UNKNOWN_KEY_COOLDOWN_MS,
    timeoutDuration: TIMEOUT_MS,
    [jwksCache]: cache as ExportedJWKSCache,
    [customFetch]: fetchWithCooldown(),
  });
  const outage = outageReporter(onOutage);
  return async (header, token) => {
    if (cache.uat !== undefined && Date.now() - cache.uat > REFRESH_AFTER_MS && !keys.reloading)
      keys.reload().catch(outage);
    try {
      return await keys(header, token);
    } catch (error) {
      throw isAboutTheToken(error) ? error : outage(error);
    }
  };
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
    const error = new KeysUnavailable(`The keys at AUTH_JWKS_URL cannot be read: ${reasonOf(cause)}`, { cause });
    if (Date.now() - reportedAtMs >= FAILURE_COOLDOWN_MS) {
      reportedAtMs = Date.now();
      onOutage(error);
    }
    return error;
  };
}

/** fetch says "fetch failed" and keeps the reason in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}

function isAboutTheToken(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;
}
