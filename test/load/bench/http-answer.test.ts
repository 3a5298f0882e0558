import fc from 'fast-check';
import { expect, test } from 'vitest';

import { HttpAnswerReader } from './http-answer.ts';

function answer(body: string, status = '200 OK'): Buffer {
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.from(head + body);
}

test('an answer is read however it is cut into pieces, one after the other on the same connection', () => {
  const cuts = fc.array(fc.nat({ max: 100_200 }), { maxLength: 5 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 100_000 }), cuts), { minLength: 1, maxLength: 4 }), (answers) => {
      const reader = new HttpAnswerReader();
      for (const [length, places] of answers) {
        const body = `é${'x'.repeat(length)}`;
        const pieces = cut(answer(body), places);
        const read = pieces.map((piece) => {
          const whole = reader.read(piece);
          return whole && { status: whole.status, body: String(whole.body) };
        });
        expect(read.slice(0, -1).every((whole) => whole === undefined)).toBe(true);
        expect(read.at(-1)).toEqual({ status: 200, body });
      }
    }),
    { numRuns: 50 },
  );
});

test('the status is told, and what is no answer to the one request is refused', () => {
  expect(new HttpAnswerReader().read(answer('no', '503 Service Unavailable'))?.status).toBe(503);
  const twice = Buffer.concat([answer('{}'), answer('{}')]);
  expect(() => new HttpAnswerReader().read(twice)).toThrow('more came than the one answer');
  const endless = Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n');
  expect(() => new HttpAnswerReader().read(endless)).toThrow('without content-length');
});

/** Without empty pieces: a socket gives none. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const inside = [...new Set(places.filter((place) => place > 0 && place < bytes.length))].sort((a, b) => a - b);
  const bounds = [0, ...inside, bytes.length];
  return bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
}
