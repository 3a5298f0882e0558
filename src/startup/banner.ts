import type { SampleToken } from '../auth/token-issuer.ts';

/** The sample request of the banner and the README. */
const SAMPLE_REQUEST =
  '{ tenant { name } accounts(first: 2, orderBy: { field: BALANCE, direction: DESC }) { totalCount nodes { bankName accountNumber balance currency } } }';

export interface BannerContent {
  readonly url: string;
  /** Where /metrics is. */
  readonly metrics: string;
  /** What the service runs on, in a few words each. */
  readonly database: string;
  readonly cache: string;
  readonly explorer: boolean;
  readonly opsPage: boolean;
  /** Absent when tokens come from elsewhere. */
  readonly demo?: { readonly tenant: string; readonly tokens: readonly SampleToken[] };
}

/** What `npm start` prints once it serves. */
export function banner({ url, metrics, database, cache, explorer, opsPage, demo }: BannerContent): string {
  const lines = ['', `Tenantry serves GraphQL at ${url}/graphql`, `  database  ${database}`, `  cache     ${cache}`];
  if (explorer) lines.push(`  explore   ${url}/graphql (Apollo Sandbox)  ${url}/graphiql (GraphiQL, works offline)`);
  lines.push(`  watch     ${opsPage ? `${url}/ops (with a token of OPERATOR)  ` : ''}${url}/health/ready  ${metrics}`);
  if (demo)
    lines.push(
      '',
      `Tokens for the demo tenant "${demo.tenant}":`,
      ...demo.tokens.map(({ role, token }) => `  ${role.padEnd(8)}  ${token}`),
      '',
      'Try it:',
      sampleCurl(url, demo.tokens),
    );
  else lines.push('', 'A token, with the same environment: npm run --silent token -- --tenant <slug> --role VIEWER');
  return `${lines.join('\n')}\n`;
}

function sampleCurl(url: string, tokens: readonly SampleToken[]): string {
  const viewer = tokens.find(({ role }) => role === 'VIEWER');
  return `  curl -s ${url}/graphql -H 'content-type: application/json' \\\n    -H 'authorization: Bearer ${viewer?.token}' \\\n    -d '${JSON.stringify({ query: SAMPLE_REQUEST })}'`;
}
