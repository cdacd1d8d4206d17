/** Whole values as they stand in a snapshot, however it is cut; large ones in parts. */
import { expect, test } from 'vitest';
import { RdbReader, RdbWriter, createRawDecoders } from './index.ts';
import { REAL_PAYLOADS } from './test-payloads.ts';
import { PlainSink } from './test-sink.ts';

const payloads = Object.entries(REAL_PAYLOADS).filter(([name]) => name !== 'plainNodes');

function snapshot(): Buffer {
  const writer = new RdbWriter();
  writer.header({ ctimeUnixSeconds: 1, usedMemoryBytes: 1 });
  writer.selectDb(0);
  for (const [name, hex] of payloads) {
    const payload = Buffer.from(hex, 'hex');
    writer.type(payload[0] ?? 0);
    writer.string(Buffer.from(name), 0, name.length);
    writer.raw(payload, 1, payload.length - 11);
  }
  writer.end();
  return writer.take();
}

/** What came whole, as hexadecimal, and what came in parts, by key. */
function read(bytesMax: number, step: number): Record<string, unknown> {
  const got: Record<string, unknown> = {};
  let sink = new PlainSink();
  let raw: string | undefined;
  const reader = new RdbReader(
    {
      get sink() {
        return sink;
      },
      begin: () => {
        sink = new PlainSink();
        raw = undefined;
        return undefined;
      },
      end: ({ key }) => {
        got[key.buf.toString('latin1', key.at, key.at + key.size)] = raw ?? sink.value;
      },
    },
    createRawDecoders((type, { buf, at, size }) => {
      raw = `${type.toString(16).padStart(2, '0')}${buf.toString('hex', at, at + size)}`;
    }, bytesMax),
  );
  const file = snapshot();
  for (let at = 0; at < file.length; at += step) {
    reader.push(file, at, Math.min(step, file.length - at));
  }
  expect(reader.failure).toBeUndefined();
  expect(reader.state).toBe('done');
  return got;
}

test('values come as they stand, however the bytes are cut', () => {
  const whole = Object.fromEntries(payloads.map(([name, hex]) => [name, hex.slice(0, -20)]));
  for (const step of [1, 7, 1000]) expect(read(1000, step)).toEqual(whole);
});

test('larger values come in parts, streams do not', () => {
  for (const step of [1, 7, 1000]) {
    const got = read(10, step);
    expect(got['hashtable']).toMatchObject({ kind: 'hash' });
    expect(got['skiplist']).toMatchObject({ kind: 'zset', scores: new Map([['high', Infinity], ['mid', 1.5], ['low', -Infinity]]) }); // prettier-ignore
    expect(got['stream']).toBeTypeOf('string');
    expect(got['set']).toBe('0203c011016201610a001ef3af2567da6d8a'.slice(0, -20));
  }
});
