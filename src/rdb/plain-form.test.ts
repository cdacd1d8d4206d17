/**
 * Goal: values survive a change of form. Method: payloads that real servers wrote are written anew and decoded, both as
 * plain data; hashes with fields that expire must become, byte for byte, what the other family writes.
 */
import { describe, expect, test } from 'vitest';
import { DUMP_FOOTER_BYTES, PlainForms, RdbReader, RdbWriter, createRawDecoders } from './index.ts';
import { decodeDump, payloadVersionOf } from './index.ts';
import { createForeignDecoders } from './foreign-decoders.ts';
import { REAL_PAYLOADS } from './test-payloads.ts';
import { PlainSink, type PlainValue } from './test-sink.ts';
import type { Bytes } from './value.ts';

/** A hash of `a` = 1, `b` = two and `c` = 3; `a` expires at 1900000000000, `b` half a second later. */
const OF_REDIS =
  '190038d360ba0100002f2f00000009008161020101f40038d360ba010000098162028374776f04f4f439d360ba0100000981630203010001ff0c0087501143f19d1388';
const OF_VALKEY =
  '16030161c0010038d360ba01000001620374776ff439d360ba0100000163c003ffffffffffffffff5000d118dd99cc5d0753';
/** `a` = 70 x, which expires at 1900000000000, and `b` = two, as a table of Redis 8.0.2. */
const TABLE_OF_REDIS =
  '180038d360ba01000002010161c3094046017878e039000178780001620374776f0c00687df0d39cc360f1';
/** The first hash when no field of it expires any more, as Redis keeps it. */
const WITHOUT_TIMES =
  '190038d360ba0100001f1f000000090081630203010001816102010100018162028374776f040001ff0c0065e239159afd4c39';
/** A vector set of one element, of Redis 8.0.2. */
const VECTOR_SET =
  '0781bde72da2bb1eb4000202020102500102000502656c05023f7f0205020102000200022002813f64f92e400f1bbd000c00a8b97735aee6adc2';

/** With times of fields beside the plain value. */
class TimedSink extends PlainSink {
  readonly times: Record<string, number> = {};

  expiringField(name: Bytes, value: Bytes, expireAtUnixMs: number): boolean {
    this.times[name.buf.toString('latin1', name.at, name.at + name.size)] = expireAtUnixMs;
    return this.field(name, value);
  }
}

const bodyOf = (payload: Buffer): Bytes => ({
  buf: payload,
  at: 1,
  size: payload.length - 1 - DUMP_FOOTER_BYTES,
});

function decoded(hex: string): { value: PlainValue | undefined; times: Record<string, number> } {
  const payload = Buffer.from(hex, 'hex');
  const sink = new TimedSink();
  const decoders = createForeignDecoders().has(payload[0] ?? 0)
    ? createForeignDecoders()
    : undefined;
  expect(decodeDump(payload, 0, payload.length, sink, decoders)).toBeUndefined();
  return { value: sink.value, times: sink.times };
}

function rewritten(
  hex: string,
  limits: ConstructorParameters<typeof PlainForms>[0],
): { type: number; hex: string; expiringFields: number } {
  const payload = Buffer.from(hex, 'hex');
  const form = new PlainForms(limits).write(payload[0] ?? 0, bodyOf(payload));
  if (typeof form === 'string') throw new Error(form);
  const { type, bytes, expiringFields } = form;
  return {
    type,
    hex: `${type.toString(16).padStart(2, '0')}${bytes.toString('hex')}`,
    expiringFields,
  };
}

const framed = (hex: string): string => `${hex}${'00'.repeat(DUMP_FOOTER_BYTES)}`;
/** A piece of a value, one whose sink knows no infinity, and what loses something. */
const OTHERS: ReadonlySet<string> = new Set(['plainNodes', 'zset', 'stream']);
const OLD = { hasDoubles: false, fieldExpiry: undefined } as const;

describe('written anew for an old server', () => {
  test.each(Object.keys(REAL_PAYLOADS).filter((name) => !OTHERS.has(name)))(
    'a %s is the same',
    (name) => {
      const hex = REAL_PAYLOADS[name] ?? '';
      for (const hasDoubles of [false, true]) {
        const plain = rewritten(hex, { hasDoubles, fieldExpiry: undefined });
        expect(payloadVersionOf(plain.type)).toBeLessThanOrEqual(hasDoubles ? 8 : 6);
        const [before, after] = [decoded(hex).value, decoded(framed(plain.hex)).value];
        expect(after).toEqual(before);
      }
    },
  );

  test('scores keep their infinity, as text and as doubles', () => {
    const scores = new Map([['low', -Infinity], ['mid', 1.5], ['high', Infinity]]); // prettier-ignore
    for (const hasDoubles of [false, true]) {
      const plain = rewritten(REAL_PAYLOADS['zset'] ?? '', { hasDoubles, fieldExpiry: undefined });
      expect(decoded(framed(plain.hex)).value).toEqual({ kind: 'zset', scores });
    }
  });

  test('a stream keeps entries, groups, consumers and pending entries, and loses what is counted since', () => {
    const hex = REAL_PAYLOADS['stream'] ?? '';
    const plain = rewritten(hex, OLD);
    expect(payloadVersionOf(plain.type)).toBe(9);
    const [before, after] = [decoded(hex).value, decoded(framed(plain.hex)).value];
    if (before?.kind !== 'stream' || after?.kind !== 'stream') throw new Error('no streams');
    expect(after.nodes).toEqual(before.nodes);
    expect(after.facts).toMatchObject({ length: 2, lastId: before.facts?.['lastId'] });
    const known = before.groups.map(({ name, lastId, pending, consumers }) => {
      const times = [...consumers].map(([consumer, [seenAt]]) => [consumer, [seenAt, -1]] as const);
      return { name, lastId, pending, consumers: new Map(times) };
    });
    expect(after.groups).toMatchObject(known);
  });
});

describe('fields that expire', () => {
  test('are read as Redis and as Valkey write them', () => {
    const fields = new Map([['a', '1'], ['b', 'two'], ['c', '3']]); // prettier-ignore
    const times = { a: 1_900_000_000_000, b: 1_900_000_000_500 };
    expect(decoded(OF_REDIS)).toEqual({ value: { kind: 'hash', fields }, times });
    expect(decoded(OF_VALKEY)).toEqual({ value: { kind: 'hash', fields }, times });
    expect(decoded(TABLE_OF_REDIS).times).toEqual({ a: times.a });
    expect(decoded(WITHOUT_TIMES)).toEqual({ value: { kind: 'hash', fields }, times: {} });
  });

  test('become what Valkey writes, and come back to Redis as a table', () => {
    const valkey = rewritten(OF_REDIS, { hasDoubles: true, fieldExpiry: 'valkey' });
    expect(valkey.hex).toBe(OF_VALKEY.slice(0, -2 * DUMP_FOOTER_BYTES));
    const redis = rewritten(OF_VALKEY, { hasDoubles: true, fieldExpiry: 'redis' });
    expect(redis).toMatchObject({ type: 24, expiringFields: 2 });
    expect(decoded(framed(redis.hex))).toEqual(decoded(OF_VALKEY));
  });

  test('lose that where there is no form for it, and are counted', () => {
    const plain = rewritten(OF_VALKEY, OLD);
    expect(plain).toMatchObject({ type: 4, expiringFields: 2 });
    expect(decoded(framed(plain.hex)).times).toEqual({});
    expect(rewritten(WITHOUT_TIMES, OLD)).toMatchObject({ type: 4, expiringFields: 0 });
  });
});

test('values with fields that expire and of modules are taken from a snapshot as they stand, however it is cut', () => {
  const payloads = [OF_REDIS, OF_VALKEY, TABLE_OF_REDIS, VECTOR_SET].map((hex) =>
    Buffer.from(hex, 'hex'),
  );
  const writer = new RdbWriter();
  writer.header({ version: 12, ctimeUnixSeconds: 1, usedMemoryBytes: 1 });
  writer.selectDb(0);
  for (const payload of payloads) {
    writer.type(payload[0] ?? 0);
    writer.string(Buffer.from('key'), 0, 3);
    writer.raw(payload, 1, payload.length - 1 - DUMP_FOOTER_BYTES);
  }
  writer.end();
  const file = writer.take();
  for (const step of [1, 5, 1000]) {
    const found: string[] = [];
    const sink = new PlainSink();
    const decoders = createRawDecoders((type, { buf, at, size }) => {
      found.push(type.toString(16).padStart(2, '0') + buf.toString('hex', at, at + size));
    }, 1000);
    const reader = new RdbReader({ sink, begin: () => undefined, end: () => undefined }, decoders);
    for (let at = 0; at < file.length; at += step) {
      reader.push(file, at, Math.min(step, file.length - at));
    }
    expect(reader.failure).toBeUndefined();
    expect(found).toEqual(
      payloads.map((each) => each.toString('hex').slice(0, -2 * DUMP_FOOTER_BYTES)),
    );
  }
});
