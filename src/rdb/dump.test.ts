import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeDump, encodeDump } from './index.ts';

const value = (text: string): { kind: 'string'; buf: Buffer; at: number; size: number } => {
  const buf = Buffer.from(text, 'latin1');
  return { kind: 'string', buf, at: 0, size: buf.length };
};

function decodedText(payload: Buffer): string {
  const decoded = decodeDump(payload, 0, payload.length);
  if (decoded.kind === 'refused') return `refused: ${decoded.text}`;
  const { buf, at, size } = decoded.value;
  return buf.toString('latin1', at, at + size);
}

test('a payload is byte for byte that of redis-server 7.0.15, and its compressed one is read', () => {
  expect(encodeDump(value('10')).toString('hex')).toBe('00c00a0a006e9f57450eae63bb');
  const packed = '00c30928016161e01b000161610a00cf092faaae25831d';
  expect(decodedText(Buffer.from(packed, 'hex'))).toBe('a'.repeat(40));
});

test('a payload comes back, and one changed byte is refused', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), fc.nat(), (text, at) => {
      const latin1 = Buffer.from(text).toString('latin1');
      const payload = encodeDump(value(latin1));
      expect(decodedText(payload)).toBe(latin1);
      payload[at % payload.length]! ^= 0x10;
      expect(decodedText(payload)).toBe('refused: DUMP payload version or checksum are wrong');
    }),
    { seed: 5, numRuns: 200 },
  );
});

test('arbitrary bytes are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(decodeDump(Buffer.from(bytes), 0, bytes.length).kind).toBe('refused');
    }),
    { seed: 6, numRuns: 300 },
  );
});

test('a sound payload of a type not built is told apart', () => {
  const list = Buffer.from('1201020b0b000000020001010201ff0a00dde71a28ae391b98', 'hex');
  expect(decodeDump(list, 0, list.length)).toMatchObject({
    reason: 'unsupported',
    text: 'unsupported value: list (type 18)',
  });
});
