import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../src/monitoring/logger.ts';

function loggerIntoLines(logLevel: 'info' | 'warn' = 'info') {
  const lines: string[] = [];
  const logger = createLogger({ production: true, logLevel }, { write: (line) => lines.push(line) });
  return { logger, lines };
}

describe('the log', () => {
  it('is one JSON object a line, with the time as RFC 3339', () => {
    const { logger, lines } = loggerIntoLines();
    logger.info({ port: 4000 }, 'listening');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      port: 4000,
      msg: 'listening',
    });
  });

  it('leaves out what is below the level', () => {
    const { logger, lines } = loggerIntoLines('warn');
    logger.info('told to nobody');
    logger.warn('told');
    expect(lines).toHaveLength(1);
  });

  it.each(['headers', 'req.headers', 'request.headers', 'res.headers'])('hides tokens and cookies in %s', (place) => {
    const { logger, lines } = loggerIntoLines();
    const headers = { authorization: 'Bearer s3cret', cookie: 'session=s3cret', 'set-cookie': 's3cret', accept: '*/*' };
    logger.info(
      place.split('.').reduceRight<object>((inner, name) => ({ [name]: inner }), headers),
      'seen',
    );
    expect(lines[0]).not.toContain('s3cret');
  });

  it("hides nothing of a request's path but its query string, where variables may be", async () => {
    const { logger, lines } = loggerIntoLines();
    const app = Fastify({ loggerInstance: logger });
    app.get('/graphql', async () => 'ok');
    await app.inject({ url: '/graphql?variables={"iban":"s3cret"}', headers: { authorization: 'Bearer s3cret' } });
    await app.close();
    expect(lines.join()).not.toContain('s3cret');
    expect(JSON.parse(lines[0] ?? '').req).toMatchObject({ method: 'GET', path: '/graphql' });
  });

  it('tells an error with its causes, without the values of rows that PostgreSQL puts beside it', () => {
    const { logger, lines } = loggerIntoLines();
    const cause = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (number)=(DE89) exists.' });
    logger.error({ err: new Error('not stored', { cause }) }, 'failed');
    expect(lines[0]).not.toContain('DE89');
    expect(JSON.parse(lines[0] ?? '').err).toMatchObject({
      type: 'Error',
      message: 'not stored',
      stack: expect.stringContaining('logger.test'),
      causes: [{ message: 'duplicate key', code: '23505' }],
    });
  });

  it('tells every error of several', () => {
    const { logger, lines } = loggerIntoLines();
    logger.error({ err: new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused')]) });
    expect(JSON.parse(lines[0] ?? '').err.causes.map(({ message }: Error) => message)).toEqual([
      '::1 refused',
      '127.0.0.1 refused',
    ]);
  });

  it('ends with an error that is its own cause', () => {
    const { logger, lines } = loggerIntoLines();
    const error = new Error('round and round');
    error.cause = error;
    logger.error({ err: error }, 'failed');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: 'failed' });
  });
});
