/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** How bad a finding is. */
export type FindingStatus =
  /** The service would not start, answers wrongly, or cannot use its cache. */
  | 'FAULT'
  /** The service works, and may not for long, or not as well as it could. */
  | 'WARNING';

/** What a caller may do. The token says it. */
export type Role =
  /** What an ANALYST may; also writes, invalidates the tenant's cache and reads its audit log. */
  | 'ADMIN'
  /** What a VIEWER may; also refreshes answers and sees how the tenant's operations perform. */
  | 'ANALYST'
  /** Sees how the service performs for all tenants, and no tenant's data. */
  | 'OPERATOR'
  /** Reads the tenant's data. */
  | 'VIEWER';

export type LatencyFiguresFragment = { count: number, p50: number, p95: number, p99: number, max: number };

export type ReportFiguresFragment = { since: string, operations: Array<{ name: string, errors: number, cacheHits: number, statements: number, databaseMs: number, latency: { count: number, p50: number, p95: number, p99: number, max: number }, queries: Array<{ model: string | null, action: string, count: number, meanMs: number, maxMs: number, sql: string | null, plan: string | null, advice: string | null }> }>, slowQueries: Array<{ sql: string, durationMs: number, rows: number | null, model: string | null, action: string, operation: string | null, plan: string | null, advice: string | null, at: string }>, cache: Array<{ namespace: string, hits: number, misses: number, hitRate: number, joined: number, invalidations: number, errors: number, missReasons: Array<{ reason: string, count: number }>, get: { count: number, p50: number, p95: number, p99: number, max: number } }>, errors: Array<{ status: number, code: string, count: number }>, bypasses: Array<{ reason: string, count: number }>, processes: Array<{ id: string, host: string, pid: number, version: string, startedAt: string, seenAt: string, cacheTrusted: boolean | null, isRelay: boolean, outboxLagMs: number | null, memoryBytes: number, cpu: number, eventLoopP99Ms: number, databaseConnections: number, databaseQueueLength: number, requestQueueLength: number }> };

export type OpsViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type OpsViewerQuery = { viewer: { name: string, role: Role } };

export type OpsFiguresQueryVariables = Exact<{ [key: string]: never; }>;


export type OpsFiguresQuery = { performance: { since: string, operations: Array<{ name: string, errors: number, cacheHits: number, statements: number, databaseMs: number, latency: { count: number, p50: number, p95: number, p99: number, max: number }, queries: Array<{ model: string | null, action: string, count: number, meanMs: number, maxMs: number, sql: string | null, plan: string | null, advice: string | null }> }>, slowQueries: Array<{ sql: string, durationMs: number, rows: number | null, model: string | null, action: string, operation: string | null, plan: string | null, advice: string | null, at: string }>, cache: Array<{ namespace: string, hits: number, misses: number, hitRate: number, joined: number, invalidations: number, errors: number, missReasons: Array<{ reason: string, count: number }>, get: { count: number, p50: number, p95: number, p99: number, max: number } }>, errors: Array<{ status: number, code: string, count: number }>, bypasses: Array<{ reason: string, count: number }>, processes: Array<{ id: string, host: string, pid: number, version: string, startedAt: string, seenAt: string, cacheTrusted: boolean | null, isRelay: boolean, outboxLagMs: number | null, memoryBytes: number, cpu: number, eventLoopP99Ms: number, databaseConnections: number, databaseQueueLength: number, requestQueueLength: number }> } };

export type OpsFindingsQueryVariables = Exact<{ [key: string]: never; }>;


export type OpsFindingsQuery = { performance: { findings: Array<{ check: string, status: FindingStatus, found: string, remedy: string }> } };

export type OpsMinutesQueryVariables = Exact<{
  minutes: number;
}>;


export type OpsMinutesQuery = { performance: { history: Array<{ start: string, processes: number, requests: number, hits: number, misses: number, bypasses: number, errors: number, refusals: number, statements: number, databaseMs: number, untrusted: boolean, latency: { count: number, p50: number, p95: number, p99: number, max: number } }>, indexes: Array<{ model: string, index: string, sizeBytes: number, scans: number, tuplesRead: number, verdict: string }>, tables: Array<{ model: string, rows: number, deadRows: number, sizeBytes: number, indexBytes: number, sequentialScans: number, indexScans: number, lastVacuum: string | null, lastAnalyze: string | null, verdict: string }>, tenants: Array<{ id: string, slug: string, pointsPerMinute: number, hasOwnLimit: boolean, hour: { points: number, requests: number }, day: { points: number, requests: number, hits: number, databaseMs: number, rows: number, bytesKept: number, errors: Array<{ code: string, count: number }> } }> } };

export type OpsOwnFiguresQueryVariables = Exact<{ [key: string]: never; }>;


export type OpsOwnFiguresQuery = { performance: { since: string, operations: Array<{ name: string, errors: number, cacheHits: number, statements: number, databaseMs: number, latency: { count: number, p50: number, p95: number, p99: number, max: number }, queries: Array<{ model: string | null, action: string, count: number, meanMs: number, maxMs: number, sql: string | null, plan: string | null, advice: string | null }> }>, slowQueries: Array<{ sql: string, durationMs: number, rows: number | null, model: string | null, action: string, operation: string | null, plan: string | null, advice: string | null, at: string }>, cache: Array<{ namespace: string, hits: number, misses: number, hitRate: number, joined: number, invalidations: number, errors: number, missReasons: Array<{ reason: string, count: number }>, get: { count: number, p50: number, p95: number, p99: number, max: number } }>, errors: Array<{ status: number, code: string, count: number }>, bypasses: Array<{ reason: string, count: number }>, processes: Array<{ id: string, host: string, pid: number, version: string, startedAt: string, seenAt: string, cacheTrusted: boolean | null, isRelay: boolean, outboxLagMs: number | null, memoryBytes: number, cpu: number, eventLoopP99Ms: number, databaseConnections: number, databaseQueueLength: number, requestQueueLength: number }> } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const LatencyFiguresFragmentDoc = new TypedDocumentString(`
    fragment LatencyFigures on Latency {
  count
  p50
  p95
  p99
  max
}
    `, {"fragmentName":"LatencyFigures"}) as unknown as TypedDocumentString<LatencyFiguresFragment, unknown>;
export const ReportFiguresFragmentDoc = new TypedDocumentString(`
    fragment ReportFigures on PerformanceReport {
  since
  operations {
    name
    latency {
      ...LatencyFigures
    }
    errors
    cacheHits
    statements
    databaseMs
    queries {
      model
      action
      count
      meanMs
      maxMs
      sql
      plan
      advice
    }
  }
  slowQueries {
    sql
    durationMs
    rows
    model
    action
    operation
    plan
    advice
    at
  }
  cache {
    namespace
    hits
    misses
    hitRate
    joined
    invalidations
    errors
    missReasons {
      reason
      count
    }
    get {
      ...LatencyFigures
    }
  }
  errors {
    status
    code
    count
  }
  bypasses {
    reason
    count
  }
  processes {
    id
    host
    pid
    version
    startedAt
    seenAt
    cacheTrusted
    isRelay
    outboxLagMs
    memoryBytes
    cpu
    eventLoopP99Ms
    databaseConnections
    databaseQueueLength
    requestQueueLength
  }
}
    fragment LatencyFigures on Latency {
  count
  p50
  p95
  p99
  max
}`, {"fragmentName":"ReportFigures"}) as unknown as TypedDocumentString<ReportFiguresFragment, unknown>;
export const OpsViewerDocument = new TypedDocumentString(`
    query OpsViewer {
  viewer {
    name
    role
  }
}
    `) as unknown as TypedDocumentString<OpsViewerQuery, OpsViewerQueryVariables>;
export const OpsFiguresDocument = new TypedDocumentString(`
    query OpsFigures {
  performance(scope: DEPLOYMENT) {
    ...ReportFigures
  }
}
    fragment LatencyFigures on Latency {
  count
  p50
  p95
  p99
  max
}
fragment ReportFigures on PerformanceReport {
  since
  operations {
    name
    latency {
      ...LatencyFigures
    }
    errors
    cacheHits
    statements
    databaseMs
    queries {
      model
      action
      count
      meanMs
      maxMs
      sql
      plan
      advice
    }
  }
  slowQueries {
    sql
    durationMs
    rows
    model
    action
    operation
    plan
    advice
    at
  }
  cache {
    namespace
    hits
    misses
    hitRate
    joined
    invalidations
    errors
    missReasons {
      reason
      count
    }
    get {
      ...LatencyFigures
    }
  }
  errors {
    status
    code
    count
  }
  bypasses {
    reason
    count
  }
  processes {
    id
    host
    pid
    version
    startedAt
    seenAt
    cacheTrusted
    isRelay
    outboxLagMs
    memoryBytes
    cpu
    eventLoopP99Ms
    databaseConnections
    databaseQueueLength
    requestQueueLength
  }
}`) as unknown as TypedDocumentString<OpsFiguresQuery, OpsFiguresQueryVariables>;
export const OpsFindingsDocument = new TypedDocumentString(`
    query OpsFindings {
  performance {
    findings {
      check
      status
      found
      remedy
    }
  }
}
    `) as unknown as TypedDocumentString<OpsFindingsQuery, OpsFindingsQueryVariables>;
export const OpsMinutesDocument = new TypedDocumentString(`
    query OpsMinutes($minutes: Int!) {
  performance {
    history(minutes: $minutes) {
      start
      processes
      requests
      hits
      misses
      bypasses
      errors
      refusals
      latency {
        ...LatencyFigures
      }
      statements
      databaseMs
      untrusted
    }
    indexes {
      model
      index
      sizeBytes
      scans
      tuplesRead
      verdict
    }
    tables {
      model
      rows
      deadRows
      sizeBytes
      indexBytes
      sequentialScans
      indexScans
      lastVacuum
      lastAnalyze
      verdict
    }
    tenants(first: 20) {
      id
      slug
      pointsPerMinute
      hasOwnLimit
      hour {
        points
        requests
      }
      day {
        points
        requests
        hits
        databaseMs
        rows
        bytesKept
        errors {
          code
          count
        }
      }
    }
  }
}
    fragment LatencyFigures on Latency {
  count
  p50
  p95
  p99
  max
}`) as unknown as TypedDocumentString<OpsMinutesQuery, OpsMinutesQueryVariables>;
export const OpsOwnFiguresDocument = new TypedDocumentString(`
    query OpsOwnFigures {
  performance(scope: PROCESS) {
    ...ReportFigures
  }
}
    fragment LatencyFigures on Latency {
  count
  p50
  p95
  p99
  max
}
fragment ReportFigures on PerformanceReport {
  since
  operations {
    name
    latency {
      ...LatencyFigures
    }
    errors
    cacheHits
    statements
    databaseMs
    queries {
      model
      action
      count
      meanMs
      maxMs
      sql
      plan
      advice
    }
  }
  slowQueries {
    sql
    durationMs
    rows
    model
    action
    operation
    plan
    advice
    at
  }
  cache {
    namespace
    hits
    misses
    hitRate
    joined
    invalidations
    errors
    missReasons {
      reason
      count
    }
    get {
      ...LatencyFigures
    }
  }
  errors {
    status
    code
    count
  }
  bypasses {
    reason
    count
  }
  processes {
    id
    host
    pid
    version
    startedAt
    seenAt
    cacheTrusted
    isRelay
    outboxLagMs
    memoryBytes
    cpu
    eventLoopP99Ms
    databaseConnections
    databaseQueueLength
    requestQueueLength
  }
}`) as unknown as TypedDocumentString<OpsOwnFiguresQuery, OpsOwnFiguresQueryVariables>;