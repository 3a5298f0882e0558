import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { RawRequest } from './exchange.ts';

/** The query whose kept answer the hostile requests aim at. */
export const VICTIM = 'query V($c:String){accounts(filter:{currency:$c}){totalCount}}';
/** One that shows who is asking, and the same. */
const OTHERS = ['{viewer{tenant{slug} role}}', VICTIM];

const JSON_HEADER = ['content-type', 'application/json'] as const;
const percent = encodeURIComponent;
const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const json = (value: unknown, headers: RawRequest['headers'] = [JSON_HEADER]): RawRequest => ({
  headers,
  body: JSON.stringify(value),
});
const text = (body: string | Buffer, headers: RawRequest['headers'] = [JSON_HEADER]): RawRequest => ({ headers, body });
const get = (target: string, headers: RawRequest['headers'] = []): RawRequest => ({ method: 'GET', target, headers });

/** A percent-encoded byte for every character, or for some. */
const everyByte = (value: string) =>
  [...Buffer.from(value)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

export const ACCEPTS = [
  ...[
    'application/json',
    'application/json, */*',
    'application/json;q=0.9, text/html',
    '*/*;q=0.1',
    'APPLICATION/JSON',
  ],
  ...[
    'application/json; charset=utf-8',
    'application/*',
    'text/html, application/json',
    'application/json,application/json',
  ],
  ...['application/graphql-response+json', 'application/graphql-response+json, application/json;q=0.5', 'text/html'],
  ...['application/json;q=0', 'application/json;charset=utf-16', '', ',', 'application/json;', 'multipart/mixed'],
];

function targets(query: string): string[] {
  const [a, b] = [percent(VICTIM), percent(query)];
  const variables = (value: string) => `/graphql?query=${a}&variables=${value}`;
  return [
    ...[
      `/graphql#query=${a}&x=?query=${b}`,
      `/graphql?query=${b}#query=${a}`,
      `/graphql?query=${b}#`,
      '/graphql#',
      '/#/graphql',
    ],
    ...[`/graphql?query=${a}&query=${b}`, `/graphql?query=${b}&query=${a}`, `/graphql?query=${b}&query=${b}`],
    ...[`/graphql?query[]=${b}`, `/graphql?query[0]=${b}&query=${a}`, `/graphql?query=${a}&variables[c]=EUR`],
    ...[`/graphql?QUERY=${b}`, `/graphql?%71uery=${b}`, `/graphql?query=${everyByte(query)}`, `/graphql?query=${b}&`],
    ...[`/graphql?&&query=${b}`, `/graphql?query=${b};query=${a}`, `/graphql??query=${b}`, `/graphql?x=?query=${b}`],
    ...[
      `http://other/graphql?query=${b}`,
      `http://other/graphql#query=${a}?query=${b}`,
      `https://a?b/graphql?query=${b}`,
    ],
    ...[
      `//graphql?query=${b}`,
      `/graphql/?query=${b}`,
      `/graphql;a?query=${b}`,
      `/%67raphql?query=${b}`,
      `/graphql%3Fquery=${b}`,
    ],
    ...[`/./graphql?query=${b}`, `/x/../graphql?query=${b}`, `/GraphQL?query=${b}`, `/graphql%00?query=${b}`, '*'],
    ...[
      '/graphql',
      '/graphql?',
      '/graphql?query',
      '/graphql?query=',
      '/graphql?query=%',
      '/graphql?query=%zz%7Btenant%7D',
    ],
    ...[
      `/graphql?query=${b}&operationName=`,
      `/graphql?query=${b}&operationName=V`,
      `/graphql?query=${b}&operationName=V&operationName=W`,
    ],
    ...[variables(''), variables('null'), variables('%7B'), variables('[]'), variables('%22x%22'), variables('1')],
    ...[
      variables('{"c":"%4a%50%59","z":"%ff"}'),
      variables(percent('{"c":"%4a%50%59"}')),
      variables('{"c":"%4a%50%59"}'),
    ],
    ...[variables('{"c":"%c0%af"}'), variables('{"c":"%ed%a0%80"}'), variables('{"c":"+"}'), variables('{"c":"%2B"}')],
    ...[
      variables('{"c":"%00"}'),
      variables('{"c":"%0d%0a"}'),
      variables('%EF%BB%BF{}'),
      variables('{"c":"EUR"}&variables={}'),
    ],
    ...[
      variables('{"c":1e999}'),
      variables('{"c":null}'),
      variables('{"c":-0}'),
      variables('{"__proto__":{"c":"EUR"}}'),
    ],
    ...[variables('{"c":"EUR","c":"JPY"}'), variables('{"c":"EUR"}&extensions=x'), variables('{}&extensions=[]')],
    ...[variables('{}&extensions=null'), variables('{}&extensions={"persistedQuery":null}')],
  ];
}

function bodies(query: string): (string | Buffer)[] {
  const [a, b] = [JSON.stringify(VICTIM), JSON.stringify(query)];
  const withVariables = (variables: string) => `{"query":${a},"variables":${variables}}`;
  const withPersisted = (persisted: unknown) => JSON.stringify({ query, extensions: { persistedQuery: persisted } });
  const whole = `{"query":${b}}`;
  return [
    ...[
      `{"query":${a},"query":${b}}`,
      `{"query":${b},"query":${a}}`,
      `{"qu\\u0065ry":${b}}`,
      `{"query":${a},"qu\\u0065ry":${b}}`,
    ],
    ...[`{"__proto__":{"query":${b}}}`, `{"query":${a},"__proto__":{"query":${b}}}`, `{"constructor":{"query":${b}}}`],
    ...[`{"QUERY":${b}}`, `{" query":${b}}`, `[${whole}]`, `[${whole},${whole}]`, '[]', '{}', 'null', '1', '"x"', ''],
    ...[
      '{"query":null}',
      '{"query":""}',
      '{"query":" "}',
      '{"query":[]}',
      '{"query":{}}',
      '{"query":0}',
      '{"query":true}',
    ],
    ...[
      `\ufeff${whole}`,
      ` \t\r\n${whole}\n`,
      `${whole}x`,
      `${whole}${whole}`,
      `/**/${whole}`,
      `{'query':${b}}`,
      whole.slice(0, -1),
    ],
    ...[Buffer.from(whole, 'utf16le'), Buffer.from(`{"query":${b},"variables":{"c":"\xff"}}`, 'latin1'), `${whole}\0`],
    ...[`query=${percent(query)}`, query, `{"query":${b},"operationName":""}`, `{"query":${b},"operationName":"V"}`],
    ...[
      `{"query":${b},"operationName":5}`,
      `{"query":${b},"operationName":["V"]}`,
      `{"query":${b},"operationName":null}`,
    ],
    ...[
      '1e999',
      '-1e999',
      'null',
      '-0',
      '0',
      '1e-999',
      '123456789012345678901234567890',
      '""',
      '"\\ud800"',
      '"\ufffd"',
    ].map((value) => withVariables(`{"c":${value}}`)),
    ...[
      '"{}"',
      '[]',
      '1',
      'true',
      '{"c":"EUR","c":"JPY"}',
      '{"c":["EUR"]}',
      '{"C":"EUR"}',
      '{"toJSON":"x"}',
      '{"__proto__":{"c":"EUR"}}',
    ].map(withVariables),
    `{"query":"query V($c:String){accounts(filter:{currency:\\"\\ud800\\"}){totalCount}}"}`,
    `{"query":"query V($c:String){accounts(filter:{currency:\\"\ufffd\\"}){totalCount}}"}`,
    ...[
      { version: 1, sha256Hash: sha(query) },
      { version: 1, sha256Hash: sha(VICTIM) },
      { version: 2, sha256Hash: sha(query) },
    ].map(withPersisted),
    ...[
      { sha256Hash: sha(query) },
      { version: '1', sha256Hash: sha(query) },
      { version: 1 },
      {},
      [],
      'x',
      1,
      true,
      null,
    ].map(withPersisted),
    ...[sha(query).toUpperCase(), '', 'x', [sha(query)], { toString: sha(query) }].map((sha256Hash) =>
      withPersisted({ version: 1, sha256Hash }),
    ),
    JSON.stringify({
      extensions: { persistedQuery: { version: 1, sha256Hash: sha(`${query} # registered by nobody`) } },
    }),
    JSON.stringify({
      query: null,
      extensions: { persistedQuery: { version: 1, sha256Hash: sha(`${query} # nor this`) } },
    }),
    ...['"{}"', '[]', '1', '{"persistedQuery":{"version":1,"version":2,"sha256Hash":"x"}}'].map(
      (extensions) => `{"query":${b},"extensions":${extensions}}`,
    ),
  ];
}

const CONTENT_TYPES = [
  ...['application/json', 'application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'APPLICATION/JSON'],
  ...[
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'application/json, text/plain',
    'text/plain',
  ],
  ...[
    'application/graphql',
    'application/graphql+json',
    'application/jsonp',
    'text/json',
    'x-www-form-urlencoded',
    'json',
    '',
  ],
  ...['multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'text/plain; application/json'],
];
const ENCODINGS = ['identity', 'IDENTITY', 'gzip', 'deflate', 'br', 'identity, gzip', 'gzip, identity', 'x', ''];

/** Written by hand: each form of the kinds of requests that two readers could read differently. */
export function chosenForms(): RawRequest[] {
  return OTHERS.flatMap((query) => [
    ...targets(query).map((target) => get(target)),
    ...bodies(query).map((body) => text(body)),
    ...ACCEPTS.map((accept) => json({ query }, [JSON_HEADER, ['accept', accept]])),
    ...CONTENT_TYPES.map((type) => json({ query }, [['content-type', type]])),
    ...ENCODINGS.map((encoding) => json({ query }, [JSON_HEADER, ['content-encoding', encoding]])),
    { ...json({ query }), target: `/graphql?query=${percent(VICTIM)}` },
    { ...json({ query }), target: `/graphql#query=${percent(VICTIM)}` },
    { ...json({ query: VICTIM }), target: `/graphql?query=${percent(query)}&variables=x` },
    { ...json({ query }), method: 'GET', target: `/graphql?query=${percent(VICTIM)}` },
    { ...json({ query }), method: 'PUT' },
    { ...json({ query }), method: 'QUERY' },
    { method: 'HEAD', target: `/graphql?query=${percent(query)}` },
    { method: 'OPTIONS', target: `/graphql?query=${percent(query)}` },
    json({ query }, [JSON_HEADER, ['content-type', 'text/plain']]),
    json({ query }, [['content-type', 'text/plain'], JSON_HEADER]),
    json({ query }, [JSON_HEADER, ['accept', 'text/html'], ['accept', 'application/json']]),
    json({ query }, [JSON_HEADER, ['x-http-method-override', 'GET']]),
    json({ query }, []),
    get(`/graphql?query=${percent(query)}`, [['content-type', 'text/plain']]),
    get(`/graphql?query=${percent(query)}`, [['accept', 'text/html']]),
    get(`/graphql?query=${percent('mutation{invalidateCache(input:{pattern:"*"}){namespaces}}')}&x=${percent(query)}`),
  ]);
}

const query = fc.constantFrom(...OTHERS);
/** Put together by chance: parameters, headers and bodies of all kinds with one another. */
const anyForm: fc.Arbitrary<RawRequest> = fc.oneof(
  fc.record({
    method: fc.constantFrom('GET', 'HEAD', 'POST'),
    target: query
      .chain((query) =>
        fc.shuffledSubarray(
          targets(query).map((target) => target.replace(/^[^?#]*/, '')),
          { minLength: 1, maxLength: 3 },
        ),
      )
      .map((parts) => `/graphql${parts.join('&')}`),
    headers: fc.constantFrom<RawRequest['headers']>([], [JSON_HEADER], [['accept', 'text/html']]),
  }),
  fc.record({
    target: fc.constantFrom('/graphql', `/graphql?query=${percent(VICTIM)}`, '/graphql#'),
    headers: fc
      .tuple(fc.constantFrom(...CONTENT_TYPES), fc.constantFrom(...ENCODINGS), fc.constantFrom(...ACCEPTS))
      .map(
        ([type, encoding, accept]) =>
          [
            ['content-type', type],
            ['content-encoding', encoding],
            ['accept', accept],
          ] as const,
      ),
    body: query.chain((query) => fc.constantFrom(...bodies(query))),
  }),
  fc.record({
    headers: fc.constantFrom(...ACCEPTS).map((accept) => [JSON_HEADER, ['accept', accept]] as const),
    body: fc
      .record(
        {
          query: fc.oneof({ arbitrary: query, weight: 3 }, { arbitrary: fc.jsonValue(), weight: 1 }),
          variables: fc.oneof(fc.record({ c: fc.constantFrom('EUR', null, 'JPY') }), fc.jsonValue()),
          operationName: fc.constantFrom(null, 'V', '', 1),
          extensions: fc.oneof(fc.constant(null), fc.jsonValue()),
        },
        { requiredKeys: [] },
      )
      .map((value) => JSON.stringify(value)),
  }),
);

/** @param count how many forms; the same for the same count */
export function generatedForms(count: number): RawRequest[] {
  return fc.sample(anyForm, { seed: 20_261_129, numRuns: count });
}
