import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';
import { fieldExtensionsEstimator, getComplexity, simpleEstimator } from 'graphql-query-complexity';
import type { TenantSize } from '../tenancy/tenant-sizes.ts';
import { OPERATION_POINTS, type Reckoning, SCANNED, type Scanned } from './complexity.ts';

/** A row that a filter looks at and does not let through; those that it lets through end a page or a count. */
const SCANNED_ROW_POINTS = 0.6;
/** A time limit ends it: it takes no more of a CPU than about this. */
const MAX_SCAN_POINTS = 500_000;
/** Nobody keeps a total of them: as many as are counted at most. */
const AUDIT_LINES = 10_000;

const ESTIMATORS = [fieldExtensionsEstimator(), simpleEstimator({ defaultComplexity: 1 })];

/** A document has no more: `Documents` refused it. */
const MAX_NODES = 10_001;

/** What an operation costs, whichever tenant asks. */
export interface OperationPrice {
  readonly points: number;
  /** How often rows are read one by one, which costs what the tenant's size makes it. */
  readonly scans: readonly { readonly of: Scanned; readonly times: number }[];
  /** Whether a text among the variables decided. */
  readonly dependsOnTexts: boolean;
}

export interface PricedOperation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** As the client sent them. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** With the defaults of the operation. */
  readonly coerced: Readonly<Record<string, unknown>>;
}

/** @throws GraphQLError (of graphql-js) for arguments that only their variables make wrong, such as null where none may be */
export function operationPrice(asked: PricedOperation): OperationPrice {
  const { schema, document, coerced } = asked;
  const reckoning: Reckoning = {
    schema,
    fragments: fragmentsOf(document),
    variables: coerced,
    priced: null,
    scanned: new Set(),
    dependsOnTexts: false,
  };
  const points = complexity(asked, reckoning);
  // The cost grows linearly with what each kind costs: one more run tells how many there are.
  const scans = SCANNED.filter((of) => reckoning.scanned.has(of)).map((of) => ({
    of,
    times: complexity(asked, { ...reckoning, priced: of }) - points,
  }));
  return { points: OPERATION_POINTS + points, scans, dependsOnTexts: reckoning.dependsOnTexts };
}

/** What an operation costs a tenant. */
export function pointsOf({ points, scans }: OperationPrice, size: TenantSize | undefined): number {
  return scans.reduce((sum, { of, times }) => sum + times * scanPoints(of, size), points);
}

function scanPoints(of: Scanned, size: TenantSize | undefined): number {
  return Math.min(Math.ceil(scannedRows(of, size) * SCANNED_ROW_POINTS), MAX_SCAN_POINTS);
}

function scannedRows(of: Scanned, { accounts, transactions }: TenantSize = { accounts: 0, transactions: 0 }): number {
  if (of === 'auditLines') return AUDIT_LINES;
  if (of === 'ofAccount') return transactions / Math.max(accounts, 1);
  return of === 'accounts' ? accounts : transactions;
}

function complexity({ schema, document: query, operation, variables }: PricedOperation, context: Reckoning): number {
  const options = { schema, query, variables, estimators: ESTIMATORS, maxQueryNodes: MAX_NODES, context };
  const operationName = operation.name?.value;
  return getComplexity({ ...options, ...(operationName && { operationName }) });
}

function fragmentsOf({ definitions }: DocumentNode): Record<string, FragmentDefinitionNode> {
  const fragments = definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
  return Object.fromEntries(fragments.map((fragment) => [fragment.name.value, fragment]));
}
