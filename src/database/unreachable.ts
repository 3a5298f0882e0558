/** SQLSTATE of a connection that is one more than PostgreSQL takes. */
export const TOO_MANY_CONNECTIONS = '53300';

/**
 * Of connections that are refused or lost, and of a server that starts or stops; P… are Prisma's.
 */
const CODES =
  /^(08...|57P0[1-3]|ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|EPIPE|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|P1001|P1017|P2024)$/;
/** The driver's words for those without a code. */
const WORDS = /terminated|not queryable|timeout exceeded when trying to connect|timeout expired/;

/**
 * Whether an error says that PostgreSQL is away, which may pass by itself. A wrong password or an
 * unknown database does not.
 */
export function isUnreachable({
  code,
  message,
}: {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
}): boolean {
  return code === undefined ? WORDS.test(message ?? '') : CODES.test(code);
}
