import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import type { RequestContext } from '../context/request-context.ts';
import { errorCodeOf } from '../graphql/format-error.ts';
import { AuditDraft, AuditOutcome } from '../tenancy/audit-line.ts';
import { keyOfMutation } from './mutation-keys.ts';

type MutationResolver = GraphQLFieldResolver<unknown, RequestContext>;

interface Payload {
  readonly userErrors?: readonly { readonly code: string }[];
}

/**
 * Makes every mutation of the schema leave one line in the audit log: its transaction writes it
 * with what was done; what was refused or failed, and what has no transaction, is written after it
 * and off the request's way.
 */
export function auditMutations(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {}))
    if (field.resolve) field.resolve = audited(field.name, field.resolve as MutationResolver) as typeof field.resolve;
}

/**
 * Mutations of one operation run one after another, so that the context has one draft at a time.
 */
function audited(name: string, resolve: MutationResolver): MutationResolver {
  const keyOf = keyOfMutation(name);
  return async (source, args, context, info) => {
    const { audit } = context.services;
    const draft = new AuditDraft({ ...context.auditSubject, action: name, key: keyOf(args.input ?? {}) });
    context.draft = draft;
    try {
      const payload = (await resolve(source, args, context, info)) as Payload | null;
      const refusals = payload?.userErrors?.map(({ code }) => code) ?? [];
      if (refusals.length > 0) audit.add(draft, AuditOutcome.REFUSED, [...new Set(refusals)]);
      else if (draft.state !== 'written') audit.add(draft, AuditOutcome.DONE);
      return payload;
    } catch (error) {
      if (draft.state !== 'written')
        audit.add(draft, draft.state === 'sent' ? AuditOutcome.UNKNOWN : AuditOutcome.FAILED, [errorCodeOf(error)]);
      throw error;
    } finally {
      context.draft = undefined;
    }
  };
}
