export const TRANSPORTS = ['sse', 'websocket'] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** Why a subscription was not begun. */
export const REFUSALS = ['tenant', 'process', 'request'] as const;
export type LiveRefusal = (typeof REFUSALS)[number];

/** For the metrics; of this process, since it began. */
export class LiveFigures {
  readonly open: Record<Transport, number> = { sse: 0, websocket: 0 };
  readonly events: Record<Transport, number> = { sse: 0, websocket: 0 };
  /** Changes that came while the one before was not told yet. */
  coalesced = 0;
  readonly refused: Record<LiveRefusal, number> = { tenant: 0, process: 0, request: 0 };
}
