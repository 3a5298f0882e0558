import { randomBytes } from 'node:crypto';
import { MARK_URL, type PageContent } from './page-content.ts';

const SCRIPT_HOST = 'https://embeddable-sandbox.cdn.apollographql.com';
const FRAME_HOST = 'https://sandbox.embed.apollographql.com';

/** The generation of the script that the Apollo Server of this release embeds, too. */
const SCRIPT_URL = `${SCRIPT_HOST}/v2/embeddable-sandbox.umd.production.min.js`;

/**
 * Some networks leave a forbidden host unanswered; after this time the page tells of the way out.
 */
const PATIENCE_MS = 3_000;

const STYLE = `
  body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
  #sandbox, #sandbox iframe { position: absolute; inset: 0; width: 100%; height: 100%; border: none; }
  #offline { padding: 2em; }
`;

export interface SandboxPage {
  readonly html: string;
  /** Its Content-Security-Policy; good for this one answer, as its nonce is. */
  readonly policy: string;
}

/**
 * Apollo Sandbox with the content filled in. The page loads Apollo's script, which opens Apollo's
 * editor in a frame and sends its queries from this page; telemetry is off. The query and headers
 * go to Apollo's host with the frame's address. A page of our own instead of Apollo Server's, for a
 * strict policy and for the way out when Apollo cannot be reached.
 */
export function createSandboxPage({ query, token = '<token>' }: PageContent): () => SandboxPage {
  const headers = { Authorization: `Bearer ${token}` };
  const settings = {
    target: '#sandbox',
    initialState: { document: query, headers, pollForSchemaUpdates: false },
    endpointIsEditable: false,
    hideCookieToggle: true,
    runTelemetry: false,
    allowDynamicStyles: false,
  };
  // "<" written so that no text among the settings can end the script element.
  const settingsJson = JSON.stringify(settings).replaceAll('<', '\\u003c');
  return () => {
    const nonce = randomBytes(16).toString('base64');
    return { html: renderPage(settingsJson, nonce), policy: policyFor(nonce) };
  };
}

function policyFor(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' ${SCRIPT_HOST}`,
    `style-src 'nonce-${nonce}'`,
    'img-src data:',
    `frame-src ${FRAME_HOST}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function renderPage(settingsJson: string, nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tenantry: Apollo Sandbox</title>
<link rel="icon" href="${MARK_URL}">
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<noscript>Apollo Sandbox needs JavaScript.</noscript>
<div id="sandbox"></div>
<div id="offline" hidden>
<h1>Apollo Sandbox cannot be loaded</h1>
<p>It comes from ${SCRIPT_HOST}, which this browser does not reach.</p>
<p><a href="/graphiql">GraphiQL</a> comes from this service and works without the internet.</p>
</div>
<script nonce="${nonce}">
const offline = document.getElementById('offline');
const patience = setTimeout(() => { offline.hidden = false; }, ${PATIENCE_MS});
</script>
<script nonce="${nonce}" src="${SCRIPT_URL}"></script>
<script nonce="${nonce}">
clearTimeout(patience);
offline.hidden = 'EmbeddedSandbox' in window;
if (offline.hidden) new EmbeddedSandbox({ ...${settingsJson}, initialEndpoint: location.origin + location.pathname });
</script>
</body>
</html>
`;
}
