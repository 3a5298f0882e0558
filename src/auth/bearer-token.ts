/** RFC 6750, section 2.1: the scheme in any case, one or more spaces, the token's own alphabet. */
const BEARER = /^bearer +([\w.~+/-]+=*) *$/i;

/**
 * The token of an Authorization header, not yet verified.
 * @returns undefined without a header, and for everything that is not a bearer token
 */
export function bearerToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : BEARER.exec(header)?.[1];
}
