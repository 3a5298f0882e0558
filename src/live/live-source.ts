import type { GraphQLError } from 'graphql';
import type { Caller, CallerTenant } from '../auth/caller.ts';
import type { LiveState } from './cursor.ts';
import type { LiveEvent } from './live-event.ts';

export type TenantCaller = Caller & { readonly tenant: CallerTenant };

/** What a subscriber is told next. */
export type LiveReading =
  /** `event` is absent when nothing is new. */
  | { readonly state: LiveState; readonly event?: LiveEvent | undefined }
  /**
   * It cannot be told at the moment: a spent budget, or a service that is busy. `isBrief`: whoever
   * has nothing yet waits, too.
   */
  | { readonly retryAtMs: number; readonly error: GraphQLError; readonly isBrief?: boolean }
  /** It never can be: the last event, with errors. */
  | { readonly failed: GraphQLError };

/** Where the events of one subscription come from. */
export interface LiveSource {
  /** Tells states of this subscription from others'. */
  readonly operation: string;
  /** @param known what the subscriber was told. Does not throw what is the client's fault. */
  read(caller: TenantCaller, known: LiveState): Promise<LiveReading>;
}
