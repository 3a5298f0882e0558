import { OpsViewerDocument, type TypedDocumentString } from './generated/graphql.ts';

/** Longer than a statement may take by default. */
const PATIENCE_MS = 15_000;
const NEEDED_ROLE = 'OPERATOR';

/** What came of a question. */
export type Outcome<Data> =
  | { readonly kind: 'data'; readonly data: Data }
  /** The token does not hold, or no longer. */
  | { readonly kind: 'refused' }
  /** The service answers, but not this; `text` is its own. */
  | { readonly kind: 'failed'; readonly text: string }
  /** No answer of the service. */
  | { readonly kind: 'unreachable' };

export interface Asker {
  readonly token: string;
  /** Aborted when nobody waits for the answer any more: it is `unreachable` then. */
  readonly signal?: AbortSignal;
}

interface Answer<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

/** Asks the service that this page came from. */
export async function ask<Data, Variables>(
  { token, signal }: Asker,
  document: TypedDocumentString<Data, Variables>,
  ...[variables]: Record<string, never> extends Variables ? [variables?: Variables] : [variables: Variables]
): Promise<Outcome<Data>> {
  let answer: Answer<Data>;
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ query: document.toString(), variables }),
      cache: 'no-store',
      credentials: 'omit',
      signal: patient(signal),
    });
    answer = (await response.json()) as Answer<Data>;
  } catch {
    // Also what a proxy answers for a service that is gone, which is no JSON.
    return { kind: 'unreachable' };
  }
  const [error] = answer.errors ?? [];
  if (!error && answer.data) return { kind: 'data', data: answer.data };
  const isRefused = ['UNAUTHENTICATED', 'FORBIDDEN'].includes(error?.extensions?.code ?? '');
  return isRefused ? { kind: 'refused' } : { kind: 'failed', text: error?.message ?? 'The answer has no data.' };
}

/**
 * Whether the token is an operator's.
 * @returns null when it is, else what to tell the person
 */
export async function findFault(token: string): Promise<string | null> {
  // Of a header's characters: fetch throws for others.
  if (!/^[\w.~+/=-]+$/.test(token)) return 'This is no token: one has letters, digits and . _ - only, without spaces.';
  const outcome = await ask({ token }, OpsViewerDocument);
  if (outcome.kind === 'refused') return 'The service does not accept this token: it is not whole, or has expired.';
  if (outcome.kind === 'unreachable') return 'The service cannot be reached.';
  if (outcome.kind === 'failed') return outcome.text;
  const { role } = outcome.data.viewer;
  return role === NEEDED_ROLE ? null : `This is a token of the role ${role}. The page needs one of the role OPERATOR.`;
}

/** Names of what the service itself finds out of reach, such as `database` and `redis`. */
export async function findDown(signal?: AbortSignal): Promise<readonly string[]> {
  try {
    const response = await fetch('/health/ready', { cache: 'no-store', signal: patient(signal) });
    const { checks = {} } = (await response.json()) as { checks?: Readonly<Record<string, string>> };
    return Object.keys(checks).filter((name) => checks[name] === 'down');
  } catch {
    return [];
  }
}

function patient(signal: AbortSignal | undefined): AbortSignal {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  return signal ? AbortSignal.any([signal, patience]) : patience;
}
