import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  TYPE_STRING,
  decodeDump,
  decodeLibraries,
  dumpFrameFlaw,
  encodeDump,
  encodeLibraries,
  sealDump,
} from './index.ts';
import { PlainSink, type PlainValue } from './test-sink.ts';

function payloadOf(text: string): Buffer {
  const buf = Buffer.from(text, 'latin1');
  return encodeDump((writer) => {
    writer.type(TYPE_STRING);
    writer.string(buf, 0, buf.length);
  });
}

function decoded(payload: Buffer): PlainValue | string | undefined {
  const flaw = dumpFrameFlaw(payload, 0, payload.length, true);
  if (flaw !== undefined) return flaw;
  const sink = new PlainSink();
  return decodeDump(payload, 0, payload.length, sink)?.reason ?? sink.value;
}

const string = (text: string): PlainValue => ({ kind: 'string', text });

test('a payload is byte for byte that of redis-server 7.0.15, and its compressed one is read', () => {
  expect(payloadOf('10').toString('hex')).toBe('00c00a0a006e9f57450eae63bb');
  const packed = '00c30928016161e01b000161610a00cf092faaae25831d';
  expect(decoded(Buffer.from(packed, 'hex'))).toEqual(string('a'.repeat(40)));
});

test('a payload comes back, and one changed byte is refused', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), fc.nat(), (text, at) => {
      const latin1 = Buffer.from(text).toString('latin1');
      const payload = payloadOf(latin1);
      expect(decoded(payload)).toEqual(string(latin1));
      payload[at % payload.length]! ^= 0x10;
      expect(decoded(payload)).toBe('DUMP payload version or checksum are wrong');
    }),
    { seed: 5, numRuns: 200 },
  );
});

test('arbitrary bytes are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(dumpFrameFlaw(Buffer.from(bytes), 0, bytes.length, true)).toBeDefined();
    }),
    { seed: 6, numRuns: 300 },
  );
});

test('a list of redis-server 7.0.15 is read, a module value is not', () => {
  const list = Buffer.from('1201020b0b000000020001010201ff0a00dde71a28ae391b98', 'hex');
  expect(decoded(list)).toEqual({ kind: 'list', elements: ['1', '2'] });
  const module = encodeDump((writer) => writer.type(7));
  expect(decoded(module)).toBe('a module value (type 7), which this server does not have');
});

const CODE = "#!lua name=d\nredis.register_function('d_f', function(k,a) return 1 end)";

test('libraries are dumped byte for byte as by redis-server 7.0.15, and come back', () => {
  expect(encodeLibraries([]).toString('latin1')).toBe('\n\0]\x9b\\@\x0f\x7f\xa2\xda');
  const payload = encodeLibraries([CODE]);
  expect(payload.toString('latin1')).toBe(`\xf5@G${CODE}\n\0\x99;\xd7\xb3D\xf0x\xf2`);
  expect(decodeLibraries(payload, 0, payload.length)).toEqual({ codes: [CODE], flaw: undefined });
  const many = encodeLibraries([CODE, `#!lua name=long\n${'--'.repeat(500)}`]);
  expect(decodeLibraries(many, 0, many.length).codes).toHaveLength(2);
});

test.each([
  ['\x01\x01a', 'given type is not a function'],
  ['\xf6\x01a', 'Pre-release function format not supported.'],
  ['\xf5\x05ab', 'Failed loading library code'],
  ['\xf5', 'Failed loading library code'],
])('behind a sound library %j is refused', (rest, flaw) => {
  const body = Buffer.from(`\xf5\x02ab${rest}`, 'latin1');
  const payload = Buffer.concat([body, Buffer.alloc(10)]);
  sealDump(payload, 0, body.length, 10);
  expect(decodeLibraries(payload, 0, payload.length)).toEqual({ codes: ['ab'], flaw });
});

test('no bytes make the reading of libraries throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 10, maxLength: 80 }), (bytes) => {
      const payload = Buffer.from([0xf5, ...bytes]);
      const { codes, flaw } = decodeLibraries(payload, 0, payload.length);
      expect(codes.length > 0 || flaw !== undefined).toBe(true);
    }),
    { seed: 6, numRuns: 300 },
  );
});
