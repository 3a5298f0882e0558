import { randomUUID } from 'node:crypto';
import type { TenantScope } from './tenant-scope.ts';

/** What came of it. */
export enum AuditOutcome {
  DONE = 'DONE',
  /** A rule of the business was broken; nothing was changed. */
  REFUSED = 'REFUSED',
  FAILED = 'FAILED',
  /** The connection was lost at the COMMIT. */
  UNKNOWN = 'UNKNOWN',
}

/**
 * Of `audit_log`: a longer text is cut, so that a line never fails for what a token or a client
 * says.
 */
const MAX_AUDIT_TEXT = 200;

const NUL_OR_HALF = /[\0\p{Cs}]/gu;

/** Who did what to which thing. Never a value: no amount, no name, no token. */
export interface AuditSubject {
  /** Null for what belongs to no tenant. */
  readonly scope: TenantScope | null;
  readonly subject: string | null;
  readonly role: string | null;
  readonly action: string;
  readonly key: string | null;
  readonly requestId: string | null;
}

/** One line of `audit_log`. */
export interface AuditLine extends AuditSubject {
  readonly id: string;
  readonly at: Date;
  readonly outcome: AuditOutcome;
  /** Of the user errors, or of the error. */
  readonly codes: readonly string[];
  /** How often within a minute. */
  readonly times: number;
}

/**
 * The line of a mutation under way. Its transaction writes it together with what it did; when there
 * is none, or when it was rolled back, whoever began it says what came of it.
 */
export class AuditDraft implements AuditSubject {
  /** A line that may be there already, after a lost COMMIT, is not written again. */
  readonly id = randomUUID();
  readonly scope: TenantScope | null;
  readonly subject: string | null;
  readonly role: string | null;
  readonly action: string;
  readonly key: string | null;
  readonly requestId: string | null;
  /** Sent: with a statement whose answer never came. */
  state: 'open' | 'sent' | 'written' = 'open';

  constructor({ scope, subject, role, action, key, requestId }: AuditSubject) {
    this.scope = scope;
    this.action = action;
    this.subject = storable(subject);
    this.role = storable(role);
    this.key = storable(key);
    this.requestId = storable(requestId);
  }
}

/** What PostgreSQL takes: no NUL, no half of a character, and no more than fits. */
export function storable(text: string | null): string | null {
  return text && [...text.replace(NUL_OR_HALF, '')].slice(0, MAX_AUDIT_TEXT).join('');
}
