import { GraphQLError, OperationTypeNode } from 'graphql';
import { expect, test } from 'vitest';
import { refusedWhole } from '../../src/apollo/refused-whole.ts';
import { forbidden } from '../../src/errors.ts';
import { TurnRefused } from '../../src/tenancy/fair-queue.ts';

const at = (path: string, originalError: Error) =>
  new GraphQLError(originalError.message, { path: [path], originalError });
const refused = at('second', new TurnRefused('time', 100, 'a connection'));
const lost = at('second', Object.assign(new Error('the connection'), { code: 'ECONNRESET' }));
const DATA = { first: 1, second: null };

test.each([
  ['a busy database', refused, /^The service is busy: .* 100 ms/],
  ['a lost one', lost, /^The service cannot reach its database/],
])('a query is refused whole for one field: %s', (_name, error, message) => {
  const { data, errors } = refusedWhole(
    { data: DATA, errors: [at('first', forbidden(['ADMIN'])), error] },
    OperationTypeNode.QUERY,
  );
  expect(data).toBeNull();
  expect(errors).toMatchObject([
    {
      path: ['second'],
      message: expect.stringMatching(message),
      extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } },
    },
  ]);
});

test('a mutation keeps what it has done, and has the status all the same', () => {
  const { data, errors } = refusedWhole({ data: DATA, errors: [refused] }, OperationTypeNode.MUTATION);
  expect(data).toEqual(DATA);
  expect(errors).toMatchObject([
    { path: ['second'], extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } } },
  ]);
});

test('any other error costs its own field alone', () => {
  const result = {
    data: DATA,
    errors: [at('first', forbidden(['ADMIN'])), at('second', Object.assign(new Error('too long'), { code: '57014' }))],
  };
  expect(refusedWhole(result, OperationTypeNode.QUERY)).toBe(result);
});
