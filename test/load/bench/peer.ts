/**
 * One tenant as the servers beside the service know it: by its token alone, which they do not
 * verify.
 */
export interface PeerTenant {
  readonly id: string;
  readonly token: string;
  /** Ready answers, by the operation's name: what the limits send. */
  readonly answers: Readonly<Record<string, Buffer>>;
}

/** What a server beside the service is started with. */
export interface PeerSettings {
  readonly tenants: readonly PeerTenant[];
  /** As a role that is not held to row-level security. */
  readonly databaseUrl: string;
  /** As a login that is held to it. */
  readonly scopedUrl: string;
  readonly redisUrl: string | null;
  /** Connections to PostgreSQL at most: as many as the service has. */
  readonly poolSize: number;
}

/** Answered once it listens. */
export interface PeerReady {
  readonly port: number;
}
