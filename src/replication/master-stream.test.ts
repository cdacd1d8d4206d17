/** The master's stream in any cut: the same commands, and the same bytes passed on, never half of a transaction. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeRequest } from '../resp/index.ts';
import { MasterStream, type StreamTarget } from './master-stream.ts';

class Recorder implements StreamTarget {
  isInTransaction = false;
  readonly commands: string[] = [];
  passedOn = '';
  acks = 0;

  run(buf: Buffer, at: number, size: number): void {
    const bytes = buf.toString('latin1', at, at + size);
    this.commands.push(bytes);
    if (bytes.includes('MULTI')) this.isInTransaction = true;
    if (bytes.includes('EXEC')) this.isInTransaction = false;
  }

  applied(buf: Buffer, at: number, size: number): void {
    this.passedOn += buf.toString('latin1', at, at + size);
  }

  getAck(): void {
    this.acks++;
  }
}

const set = fc
  .tuple(fc.string({ maxLength: 8 }), fc.nat(9000))
  .map(([key, size]) => [encodeRequest(['SET', key, 'x'.repeat(size)]).toString('latin1')]);
const wrapped = fc
  .array(set, { maxLength: 3 })
  .map((sets) => [
    encodeRequest(['MULTI']).toString('latin1'),
    ...sets.flat(),
    encodeRequest(['EXEC']).toString('latin1'),
  ]);
const unit = fc.oneof(set, set, wrapped);

test('any cut of the stream gives the same commands, and passes on whole units only', () => {
  const property = fc.property(
    fc.array(unit, { maxLength: 8 }),
    fc.array(fc.integer({ min: 1, max: 6000 }), { minLength: 1, maxLength: 5 }),
    (units, cuts) => {
      const target = new Recorder();
      const stream = new MasterStream(target);
      const bytes = Buffer.from(units.flat().join(''), 'latin1');
      const ends = new Set([0]);
      let end = 0;
      for (const commands of units) ends.add((end += commands.join('').length));
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = Math.min(cuts[turn % cuts.length]!, bytes.length - at);
        // A receive buffer is used again: nothing may be kept of it.
        const chunk = Buffer.from(bytes.subarray(at, at + size));
        expect(stream.push(chunk, 0, size)).toBeUndefined();
        chunk.fill(0);
        at += size;
        expect(ends.has(target.passedOn.length)).toBe(true);
      }
      expect(target.commands).toEqual(units.flat());
      expect(target.passedOn).toBe(bytes.toString('latin1'));
    },
  );
  fc.assert(property, { seed: 7, numRuns: 100 });
});

test('pings and empty lines are passed on and not run; GETACK is answered after it was passed on', () => {
  const target = new Recorder();
  const text = '*1\r\n$4\r\nPING\r\n\r\n' + encodeRequest(['REPLCONF', 'GETACK', '*']).toString();
  expect(new MasterStream(target).push(Buffer.from(text), 0, text.length)).toBeUndefined();
  expect(target.commands).toEqual([]);
  expect(target.passedOn).toBe(text);
  expect(target.acks).toBe(1);
});

test('a request as a person types it is no stream', () => {
  const text = 'SET a b\r\n';
  const problem = new MasterStream(new Recorder()).push(Buffer.from(text), 0, text.length);
  expect(problem).toBe('inline request');
});
