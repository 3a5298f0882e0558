import { describe, expect, it } from 'vitest';

import { parseTarget } from '../../prisma/engine/connection.mjs';
import { connectionError } from '../../prisma/engine/errors.mjs';

describe('the URL of a datasource', () => {
  it('is read as node-postgres reads it, with the parameters that only Prisma knows', () => {
    const target = parseTarget(
      'postgresql://me:s%3Dt@db.example:6543/bank?schema=a&connect_timeout=7&sslmode=verify-full',
    );

    expect(target).toMatchObject({ place: 'db.example:6543', schema: 'a' });
    expect(target.config).toMatchObject({
      host: 'db.example',
      port: 6543,
      user: 'me',
      password: 's=t',
      database: 'bank',
      ssl: {},
      connectionTimeoutMillis: 7000,
    });
  });

  it('may leave out what has a default', () => {
    const target = parseTarget('postgres://me@db.example');

    expect(target).toMatchObject({ place: 'db.example:5432', schema: 'public' });
    expect(target.config).toMatchObject({ database: 'postgres', connectionTimeoutMillis: 5000 });
  });

  it('never leaves a connection string, which would win over the name of the shadow database', () => {
    expect(parseTarget('postgresql://me@db.example/bank').config).not.toHaveProperty('connectionString');
  });

  it.each([
    [undefined, 'Set DATABASE_URL'],
    ['db.example', 'must begin with postgresql:// or postgres://, but begins with no scheme'],
    ['prisma+postgres://db.example/?api_key=hidden', 'but begins with prisma+postgres'],
    ['postgresql://me:hidden@db.example/a?sslaccept=strict', 'say sslmode=no-verify for accept_invalid_certs'],
    ['postgresql://me:hidden@db.example/a?sslidentity=client.p12', 'give the certificate and key as PEM files'],
    ['postgresql://me:hidden@db.example/a?sslpassword=hidden', 'give an unencrypted key file, with sslkey'],
    ['postgresql://me:hidden@db.example/a?connect_timeout=soon', 'must be a number of seconds, but is soon'],
    ['postgresql://me:hidden@db.example/a?schema=a%22b', 'may not hold a double quote, but is a"b'],
    ['postgresql://me:hidden@db.example:port/a', 'Invalid URL'],
  ])('is refused as P1013, without its password, when it is %s', (url, reason) => {
    const failure = catchError(() => parseTarget(url));

    expect(failure).toMatchObject({ code: 'P1013', message: expect.stringContaining(reason) });
    expect(failure.message).not.toContain('hidden');
  });
});

describe('a failed connection', () => {
  const target = parseTarget('postgresql://me@db.example:6543/bank');
  const told = (message: string, code?: string) =>
    connectionError(Object.assign(new Error(message), code && { code }), target);

  it.each([
    ['connect ECONNREFUSED', 'ECONNREFUSED', 'P1001', '`db.example:6543`'],
    ['timeout expired', undefined, 'P1001', '`db.example:6543`'],
    ['password authentication failed', '28P01', 'P1000', 'credentials for `me` are not valid'],
    ['no pg_hba.conf entry', '28000', 'P1010', 'no pg_hba.conf entry'],
    ['database "bank" does not exist', '3D000', 'P1003', 'Database `bank` does not exist'],
    ['self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'P1011', 'self-signed certificate'],
    ['Connection terminated unexpectedly', undefined, 'P1017', 'closed the connection'],
  ])('is told with its code in Prisma: %s', (message, code, prismaCode, text) => {
    expect(told(message, code)).toMatchObject({ code: prismaCode, message: expect.stringContaining(text) });
  });

  it("keeps PostgreSQL's words where Prisma has none", () => {
    expect(told('the database system is starting up', '57P03')).toMatchObject({
      code: undefined,
      message: 'the database system is starting up',
    });
  });
});

function catchError(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('An error was expected.');
}
