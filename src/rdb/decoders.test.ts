import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RdbReader, RdbWriter, decodeDump, encodeDump } from './index.ts';
import { REAL_PAYLOADS, ziplist, zipmap } from './test-payloads.ts';
import { PlainSink, type PlainValue } from './test-sink.ts';

const FOOTER_BYTES = 10;

function decoded(payload: Buffer): PlainValue | string | undefined {
  const sink = new PlainSink();
  const flaw = decodeDump(payload, 0, payload.length, sink);
  return flaw === undefined ? sink.value : 'Bad data format';
}

const real = (name: string): Buffer => {
  const hex = REAL_PAYLOADS[name] ?? '';
  // One payload is kept without its checksum.
  return Buffer.from(hex.endsWith('0a00') ? hex + '00'.repeat(8) : hex, 'hex');
};

function packed(type: number, blob: Buffer): Buffer {
  return encodeDump((writer) => {
    writer.type(type);
    writer.string(blob, 0, blob.length);
  });
}

const hash = (fields: Record<string, string>): PlainValue => ({
  kind: 'hash',
  fields: new Map(Object.entries(fields)),
});
const zset = (scores: Record<string, number>): PlainValue => ({
  kind: 'zset',
  scores: new Map(Object.entries(scores)),
});

test('what redis-server 7.0.15 wrote is read', () => {
  const list = ['a', '-1', '300', '70000', 'hello'];
  expect(decoded(real('list'))).toEqual({ kind: 'list', elements: list });
  expect(decoded(real('plainNodes'))).toEqual({
    kind: 'list',
    elements: ['a', 'x'.repeat(101), 'b'],
  });
  expect(decoded(real('intset'))).toEqual({ kind: 'set', elements: ['-70000', '1', '3000000000'] });
  expect(decoded(real('set'))).toEqual({ kind: 'set', elements: ['17', 'b', 'a'] });
  expect(decoded(real('hash'))).toEqual(hash({ f: '1', g: 'two' }));
  expect(decoded(real('hashtable'))).toEqual(hash({ g: 'two', f: '1' }));
  const scores = zset({ low: -Infinity, mid: 1.5, high: Infinity });
  expect(decoded(real('skiplist'))).toEqual(scores);
  const sink = new PlainSink();
  const payload = real('zset');
  expect(decodeDump(payload, 0, payload.length, sink)).toBeUndefined();
  expect(sink.value?.kind === 'zset' ? [...sink.value.scores.keys()] : []).toEqual([
    'low',
    'mid',
    'high',
  ]);
});

test('a stream with groups is read whole', () => {
  expect(decoded(real('stream'))).toEqual({
    kind: 'stream',
    nodes: [['5-1', expect.arrayContaining(['f', 'g', 'other', 'x'])]],
    facts: { length: 2, lastId: '7-0', firstId: '5-2', maxDeletedId: '5-1', entriesAdded: 3 },
    groups: [
      {
        name: 'grp',
        lastId: '5-2',
        entriesRead: 2,
        pending: new Map([['5-2', { at: 1_700_000_000_000, count: 3, owner: 'alice' }]]),
        consumers: new Map([['alice', [expect.any(Number), -1]]]),
      },
      { name: 'other', lastId: '7-0', entriesRead: -1, pending: new Map(), consumers: new Map() },
    ],
  });
});

test('what older versions wrote is read', () => {
  const elements = ['0', '12', '13', '-1', '300', '-70000', '3000000000', '4294967296123', 'text'];
  const long = [...elements, 'y'.repeat(70), 'z'.repeat(300), 'end', 'w'.repeat(17_000), ''];
  expect(decoded(packed(10, ziplist(long)))).toEqual({ kind: 'list', elements: long });
  const quicklist = encodeDump((writer) => {
    writer.type(14);
    writer.length(3);
    for (const node of [['a', '1'], [], long]) {
      const blob = ziplist(node);
      writer.string(blob, 0, blob.length);
    }
  });
  expect(decoded(quicklist)).toEqual({ kind: 'list', elements: ['a', '1', ...long] });
  const pairs = ['f', '1', 'g', 'v'.repeat(400), '', ''];
  const fields = hash({ f: '1', g: 'v'.repeat(400), '': '' });
  expect(decoded(packed(9, zipmap(pairs)))).toEqual(fields);
  expect(decoded(packed(13, ziplist(pairs)))).toEqual(fields);
  expect(decoded(packed(12, ziplist(['a', '1', 'b', '2.5'])))).toEqual(zset({ a: 1, b: 2.5 }));
  const texts = encodeDump((writer) => {
    writer.type(3);
    writer.length(4);
    for (const [name, score] of [['a', '\x031.5'], ['b', '\xfe'], ['c', '\xff'], ['d', '\x02-1']] as const) {
      writer.string(Buffer.from(name), 0, 1);
      writer.raw(Buffer.from(score, 'latin1'), 0, score.length);
    }
  }); // prettier-ignore
  expect(decoded(texts)).toEqual(zset({ a: 1.5, b: Infinity, c: -Infinity, d: -1 }));
});

test('containers without elements, with equal ones or false scores are refused', () => {
  const bad: Buffer[] = [
    packed(10, ziplist([])),
    packed(13, ziplist(['f', '1', 'f', '2'])),
    packed(13, ziplist(['f', '1', 'g'])),
    packed(9, zipmap(['f', '1', 'f', '1'])),
    packed(12, ziplist(['a', 'nan'])),
    packed(12, ziplist(['a', '1', 'a', '2'])),
    packed(12, ziplist(['a', 'x'])),
    // The listpacks [f 1 f 2], [f 1 g] and [a 'b'].
    packed(16, Buffer.from('110000000400816602010181660202 01ff'.replace(' ', ''), 'hex')),
    packed(16, Buffer.from('0f0000000300816602010181670 2ff'.replace(' ', ''), 'hex')),
    packed(17, Buffer.from('0d0000000200816102816202ff', 'hex')),
    // Intsets that do not rise.
    packed(11, Buffer.from('020000000200000001000100', 'hex')),
    packed(11, Buffer.from('020000000200000002000100', 'hex')),
    Buffer.from('0200'.padEnd(24, '0'), 'hex'),
    encodeDump((writer) => {
      writer.type(2);
      writer.length(2);
      for (let i = 0; i < 2; i++) writer.string(Buffer.from('a'), 0, 1);
    }),
    encodeDump((writer) => {
      writer.type(5);
      writer.length(1);
      writer.string(Buffer.from('a'), 0, 1);
      writer.double(Number.NaN);
    }),
  ];
  for (const payload of bad) expect(decoded(payload)).toBe('Bad data format');
});

test('a large listpack with equal fields is refused', () => {
  const fields = Array.from({ length: 3000 }, (_, i) => `field:${i}`);
  const blob = (names: readonly string[]): Buffer => {
    const parts = names.map((name) => {
      const bytes = Buffer.from(name);
      return Buffer.from([0x80 | bytes.length, ...bytes, bytes.length + 1, 0, 1]);
    });
    const body = Buffer.concat(parts);
    const header = Buffer.alloc(6);
    header.writeUInt32LE(body.length + 7, 0);
    header.writeUInt16LE(2 * names.length, 4);
    return Buffer.concat([header, body, Buffer.from([255])]);
  };
  expect(decoded(packed(16, blob(fields)))).toMatchObject({ kind: 'hash' });
  expect(decoded(packed(16, blob([...fields, 'field:77'])))).toBe('Bad data format');
});

const sources: readonly Buffer[] = [
  ...Object.keys(REAL_PAYLOADS).map(real),
  packed(10, ziplist(['a', '300', '-1', 'b'.repeat(70)])),
  packed(13, ziplist(['a', '300', '-1', 'b'.repeat(70)])),
  packed(12, ziplist(['a', '300', 'b', '1e5'])),
  packed(9, zipmap(['a', '300', '-1', 'b'.repeat(70)])),
];

test('damaged values never throw', () => {
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.boolean() });
  fc.assert(
    fc.property(
      fc.nat(sources.length - 1),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      (i, changes) => {
        let payload = Buffer.from(sources[i]!);
        for (const { at, byte, cut } of changes) {
          const place = 1 + (at % (payload.length - FOOTER_BYTES - 1 || 1));
          if (cut && payload.length > FOOTER_BYTES + 2) {
            payload = Buffer.concat([payload.subarray(0, place), payload.subarray(place + 1)]);
          } else payload[place] = byte;
        }
        decoded(payload);
      },
    ),
    { seed: 11, numRuns: 5000 },
  );
});

test('a file gives the same values whatever the chunks', () => {
  const writer = new RdbWriter();
  writer.header({ ctimeUnixSeconds: 1, usedMemoryBytes: 1 });
  writer.selectDb(0);
  for (const payload of sources) {
    writer.type(payload[0]!);
    writer.string(Buffer.from('key'), 0, 3);
    writer.raw(payload, 1, payload.length - FOOTER_BYTES - 1);
  }
  writer.end();
  const file = writer.take();
  const read = (size: number): unknown[] => {
    const sink = new PlainSink();
    const values: unknown[] = [];
    const reader = new RdbReader({
      sink,
      begin: () => undefined,
      end: () => values.push(sink.value),
    });
    for (let at = 0; at < file.length; at += size) {
      reader.push(file, at, Math.min(size, file.length - at));
    }
    expect(reader.failure).toBeUndefined();
    expect(reader.state).toBe('done');
    return values;
  };
  const whole = read(file.length);
  expect(whole).toHaveLength(sources.length);
  for (const size of [1, 2, 3, 7, 16, 61, 250]) expect(read(size)).toEqual(whole);
});
