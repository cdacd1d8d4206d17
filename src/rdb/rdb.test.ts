import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Crc64 } from '../base/index.ts';
import { type RdbEntry, RdbReader, RdbWriter, TYPE_STRING } from './index.ts';
import { PlainSink } from './test-sink.ts';

interface Pair {
  readonly db: number;
  readonly key: string;
  readonly value: string;
  readonly expireAtUnixMs: number;
  readonly idleSeconds: number;
  readonly freq: number;
}

const view = (text: string): { buf: Buffer; at: number; size: number } => {
  const buf = Buffer.from(text, 'latin1');
  return { buf, at: 0, size: buf.length };
};

const latin1 = (b: { buf: Buffer; at: number; size: number }): string =>
  b.buf.toString('latin1', b.at, b.at + b.size);

function fileOf(pairs: readonly Pair[], checksum = true): Buffer {
  const writer = new RdbWriter({ checksum });
  writer.header({
    ctimeUnixSeconds: 1_700_000_000,
    usedMemoryBytes: 1_000_000,
    replication: { streamDb: 0, replid: 'ab'.repeat(20), replOffset: 77 },
  });
  for (const pair of pairs) {
    writer.selectDb(pair.db);
    writer.entryFacts(pair);
    writer.type(TYPE_STRING);
    for (const { buf, size } of [view(pair.key), view(pair.value)]) writer.string(buf, 0, size);
  }
  writer.end();
  return writer.take();
}

function read(file: Buffer, cuts: readonly number[] = []): { log: unknown[]; reader: RdbReader } {
  const log: unknown[] = [];
  const sink = new PlainSink();
  const reader = new RdbReader({
    sink,
    aux: (name, value) => log.push(['aux', name, value]),
    resizeDb: (counts) => log.push(['resize', counts.keys, counts.expiring]),
    skipped: (what) => log.push(['skipped', what]),
    begin: () => undefined,
    end: (e: RdbEntry) =>
      log.push({
        db: e.dbIndex,
        key: latin1(e.key),
        value: sink.value?.kind === 'string' ? sink.value.text : sink.value,
        expireAtUnixMs: e.expireAtUnixMs,
        idleSeconds: e.idleSeconds,
        freq: e.freq,
      }),
  });
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const to = Math.min(Math.max(cut, from), file.length);
    reader.push(Buffer.from(file.subarray(from, to)), 0, to - from);
    from = to;
  }
  reader.push(file, from, file.length - from);
  return { log, reader };
}

const text = fc.oneof(
  fc.integer({ min: -40000, max: 3_000_000_000 }).map(String),
  fc.string({ maxLength: 40 }).map((s) => Buffer.from(s).toString('latin1')),
  fc.tuple(fc.constantFrom('ab', 'x', 'hello '), fc.nat(300)).map(([s, n]) => s.repeat(n)),
);
const pairs = fc.array(
  fc.record({
    db: fc.nat(100),
    key: text,
    value: text,
    expireAtUnixMs: fc.oneof(fc.constant(-1), fc.nat(2 ** 45)),
    idleSeconds: fc.oneof(fc.constant(-1), fc.nat(100_000)),
    freq: fc.oneof(fc.constant(-1), fc.nat(255)),
  }),
  { maxLength: 12 },
);

const isEntry = (record: unknown): boolean => !Array.isArray(record);

test('a file round-trips whatever the chunks', () => {
  fc.assert(
    fc.property(pairs, fc.array(fc.nat(2000), { maxLength: 12 }), (list, cuts) => {
      const { log, reader } = read(fileOf(list), cuts);
      expect(reader.failure).toBeUndefined();
      expect(reader.state).toBe('done');
      expect(log.filter(isEntry)).toEqual(list);
    }),
    { seed: 3, numRuns: 200 },
  );
});

test('byte by byte gives what one chunk gives', () => {
  const file = fileOf([
    { db: 3, key: 'k', value: 'v'.repeat(500), expireAtUnixMs: 5, idleSeconds: 1, freq: 2 },
  ]);
  const every = Array.from(file.keys());
  expect(read(file, every).log).toEqual(read(file).log);
});

test('bytes after the end are left to the caller', () => {
  const file = fileOf([]);
  const reader = new RdbReader({
    sink: new PlainSink(),
    begin: () => undefined,
    end: () => undefined,
  });
  expect(reader.push(Buffer.concat([file, Buffer.from('*1\r\n')]), 0, file.length + 4)).toBe(
    file.length,
  );
  expect(reader.state).toBe('done');
});

test('arbitrary and damaged bytes never throw, and end in a failure or wait for more', () => {
  const file = fileOf([
    { db: 0, key: 'key', value: 'a'.repeat(90), expireAtUnixMs: 9, idleSeconds: -1, freq: -1 },
  ]);
  fc.assert(
    fc.property(
      fc.nat(file.length - 1),
      fc.nat(255),
      fc.uint8Array({ maxLength: 80 }),
      (at, byte, tail) => {
        const damaged = Buffer.from(file);
        damaged[at] = byte;
        const { reader } = read(damaged);
        if (byte !== file[at]) expect(reader.state).not.toBe('done');
        read(Buffer.concat([Buffer.from('REDIS0010'), tail]));
      },
    ),
    { seed: 4, numRuns: 1000 },
  );
});

test('checksum 0 is taken as switched off', () => {
  expect(read(fileOf([], false)).reader.state).toBe('done');
});

test('a wrong checksum, signature and version are told in the words of Redis', () => {
  const file = fileOf([]);
  file[file.length - 1]! ^= 1;
  expect(read(file).reader.failure?.kind).toBe('corrupt');
  const { failure } = read(file).reader;
  expect(failure?.kind === 'corrupt' ? failure.reason : '').toMatch(
    /^Wrong RDB checksum expected: \([0-9a-f]+\) but got \([0-9a-f]+\)\. Aborting now\. RDB CRC error$/,
  );
  expect(read(Buffer.from('RUBIS0010')).reader.failure).toMatchObject({
    reason: 'Wrong signature trying to load DB from file',
  });
  expect(read(Buffer.from('REDIS0013')).reader.failure).toEqual({
    kind: 'unsupportedVersion',
    reason: "Can't handle RDB format version 13",
    at: 0,
  });
});

test('functions, module data and slot information are passed over', () => {
  const body = Buffer.concat([
    Buffer.from('REDIS0010', 'latin1'),
    Buffer.from([0xf5, 3, 0x61, 0x62, 0x63]),
    Buffer.from([0xf7, 9, 2, 1, 2, 7, 3, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 5, 1, 0x78, 0]),
    Buffer.from([0xf4, 1, 2, 0]),
    Buffer.from([0, 1, 0x6b, 0xc0, 0xff, 0xff]),
  ]);
  const crc = new Crc64();
  crc.update(body, 0, body.length);
  const sum = Buffer.alloc(8);
  crc.writeTo(sum, 0);
  const { log, reader } = read(Buffer.concat([body, sum]));
  expect(reader.state).toBe('done');
  expect(log).toEqual([
    ['skipped', 'function library'],
    ['skipped', 'module auxiliary data'],
    expect.objectContaining({ key: 'k', value: '-1' }),
  ]);
});
