/**
 * Goal: later versions are read as far as they hold what we have, and what we have not is refused by its name. Method:
 * files and payloads as the real servers wrote them, and the same with one number changed.
 */
import { expect, test } from 'vitest';
import { RdbReader, decodeDump, dumpFrameFlaw, sealDump } from './index.ts';
import {
  REDIS_8_FIELD_EXPIRY,
  REDIS_8_FILE,
  VALKEY_8_FILE,
  VALKEY_9_FIELD_EXPIRY,
  VALKEY_9_FILE,
  VALKEY_9_SLOT_IMPORT,
} from '../../tests/golden/rdb/newer-files.ts';
import { PlainSink, type PlainValue } from './test-sink.ts';

interface Outcome {
  readonly reader: RdbReader;
  readonly values: Map<string, PlainValue | undefined>;
  readonly skipped: string[];
}

/** Reads in pieces of a prime size, so that records are cut anywhere. */
function readFile(file: Buffer): Outcome {
  const values = new Map<string, PlainValue | undefined>();
  const skipped: string[] = [];
  const sink = new PlainSink();
  const reader = new RdbReader({
    sink,
    begin: () => undefined,
    end: ({ key }) => values.set(key.buf.toString('latin1', key.at, key.at + key.size), sink.value),
    skipped: (what) => skipped.push(what),
  });
  for (let at = 0; at < file.length; at += 7) {
    reader.push(file, at, Math.min(7, file.length - at));
  }
  return { reader, values, skipped };
}

const fromBase64 = (text: string): Buffer => Buffer.from(text, 'base64');

test.each([
  ['Redis 8.0.2', 12, REDIS_8_FILE],
  ['Valkey 8.1.1', 11, VALKEY_8_FILE],
  ['Valkey 9.1.2', 80, VALKEY_9_FILE],
])('a file of %s is read', (_server, version, file) => {
  const { reader, values } = readFile(fromBase64(file));
  expect(reader.failure).toBeUndefined();
  expect(reader.state).toBe('done');
  expect(reader.version).toBe(version);
  expect(Object.fromEntries(values)).toMatchObject({
    n: { kind: 'string', text: '12345' },
    s: { kind: 'set', elements: ['a', '7'] },
    h: { kind: 'hash', fields: new Map([['f', 'v']]) },
    l: { kind: 'list', elements: ['a', 'b'] },
    z: { kind: 'zset', scores: new Map([['m', 1.5]]) },
    st: { kind: 'stream' },
  });
});

test.each([
  [REDIS_8_FIELD_EXPIRY, 25, 84],
  [VALKEY_9_FIELD_EXPIRY, 22, 85],
])('a hash with field expiry fails with its name, key and place', (file, type, at) => {
  const { reader, values } = readFile(fromBase64(file));
  expect(reader.failure).toEqual({
    kind: 'unsupported',
    what: `hash with field expiry (type ${type})`,
    key: Buffer.from('hx'),
    at,
  });
  expect(values.size).toBe(0);
});

test("a module's value fails with the name of the module's type, once enough is there", () => {
  // The key `v` and the beginning of a vector set of Redis 8.0.2.
  const file = Buffer.from('52454449533030313207017681bde72da2bb1eb400020202', 'hex');
  expect(readFile(file.subarray(0, 15)).reader.state).toBe('reading');
  expect(readFile(file).reader.failure).toEqual({
    kind: 'unsupported',
    what: 'module value of vectorset (type 7)',
    key: Buffer.from('v'),
    at: 9,
  });
});

test('a slot import of Valkey 9 is passed over, in a file of its version only', () => {
  const file = fromBase64(VALKEY_9_SLOT_IMPORT);
  const { reader, skipped } = readFile(file);
  expect(reader.state).toBe('done');
  expect(skipped).toEqual(['slot import that is under way']);
  file.write('REDIS0012', 'latin1');
  expect(readFile(file).reader.failure).toMatchObject({ reason: 'Unknown RDB encoding type 243' });
});

test('a slot import of more ranges than there are slots is damaged', () => {
  const file = Buffer.from('VALKEY080\xf3\x01a\x80\0\0\x40\x01', 'latin1');
  expect(readFile(file).reader.failure).toMatchObject({ reason: 'Slot import of 16385 ranges' });
});

test.each([
  ['REDIS0000', 0],
  ['REDIS0013', 13],
  ['REDIS0080', 80],
  ['REDIS00 9', 0],
  ['VALKEY011', 11],
  ['VALKEY079', 79],
  ['VALKEY081', 81],
])('a file that begins with %s is refused', (header, version) => {
  expect(readFile(Buffer.from(header)).reader.failure).toEqual({
    kind: 'unsupportedVersion',
    reason: `Can't handle RDB format version ${version}`,
    at: 0,
  });
});

function flawOf(payload: Buffer): string | undefined {
  return (
    dumpFrameFlaw(payload, 0, payload.length, true) ??
    decodeDump(payload, 0, payload.length, new PlainSink())?.reason
  );
}

test.each([
  ['Redis 8.0.2', '00c139300c0056e2dee769d696f0'],
  ['Valkey 9.1.2', '00c13930500052be23b60dae6f4d'],
])('a payload of %s is read, and one changed byte is refused', (_server, hex) => {
  const payload = Buffer.from(hex, 'hex');
  expect(flawOf(payload)).toBeUndefined();
  payload[1]! ^= 2;
  expect(flawOf(payload)).toBe('DUMP payload version or checksum are wrong');
});

test.each([13, 79, 81, 0xffff])('a payload of version %i is refused', (version) => {
  const payload = Buffer.from('00c139300c0056e2dee769d696f0', 'hex');
  sealDump(payload, 0, payload.length - 10, version);
  expect(flawOf(payload)).toBe('DUMP payload version or checksum are wrong');
});

test.each([
  [22, '16020161c001bae2671fa20100000162c002ffffffffffffffff5000befeaaa1107ec1bb'],
  [
    25,
    '1996e2671fa20100001d1d00000006008161020101f496e2671fa20100000981620202010001ff0c002d7e6343cedf04b0',
  ],
])('the payload of a hash with field expiry is refused by its name', (type, hex) => {
  expect(flawOf(Buffer.from(hex, 'hex'))).toBe(
    `a hash with field expiry (type ${type}), which this server does not have`,
  );
});
