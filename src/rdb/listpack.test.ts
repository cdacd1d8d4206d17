/** Listpacks against arrays of texts, and against bytes that redis-server 7.0.15 dumped. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ListpackForms } from './listpack-form.ts';
import {
  EMPTY_LISTPACK_BYTES,
  LISTPACK_END,
  LISTPACK_HEADER_BYTES,
  ListpackElement,
  ListpackReader,
  isListpackEnd,
  isListpackSound,
  listpackCount,
  listpackNext,
  listpackPrevious,
  listpackSeek,
  writeListpackHeader,
} from './listpack.ts';

function pack(texts: readonly string[]): Buffer {
  const element = new ListpackElement();
  const sizes = texts.map((text) => {
    element.set(Buffer.from(text, 'latin1'), 0, text.length);
    return element.bytes;
  });
  const size = sizes.reduce((sum, bytes) => sum + bytes, EMPTY_LISTPACK_BYTES);
  const buf = Buffer.alloc(size);
  writeListpackHeader(buf, 0, size, texts.length);
  let at = LISTPACK_HEADER_BYTES;
  for (const text of texts) {
    element.set(Buffer.from(text, 'latin1'), 0, text.length);
    at = element.write(buf, at);
  }
  buf[at] = LISTPACK_END;
  expect(at).toBe(size - 1);
  return buf;
}

function unpack(buf: Buffer): string[] {
  const reader = new ListpackReader();
  const texts: string[] = [];
  for (let pos = LISTPACK_HEADER_BYTES; !isListpackEnd(buf, pos);) {
    pos = reader.read(buf, pos);
    texts.push(Buffer.from(reader.buf).toString('latin1', reader.at, reader.at + reader.size));
  }
  return texts;
}

const texts = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 80 }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc.integer({ min: -5000, max: 5000 }).map(String),
  fc.integer({ min: -0x900_0000, max: 0x900_0000 }).map(String),
  fc.constantFrom('', '-0', '00', '1.5', '127', '128', '-1', '4095', '4096', '-4096', '-4097'),
  fc.constantFrom(126, 127, 4095, 4096, 16_380, 16_381, 16_382, 70_000).map((n) => 'x'.repeat(n)),
);

test('what goes in comes out, from both ends and by index', () => {
  fc.assert(
    fc.property(fc.array(texts, { maxLength: 20 }), (values) => {
      const buf = pack(values);
      expect(unpack(buf)).toEqual(values);
      expect(isListpackSound(buf, 0, buf.length)).toBe(true);
      expect(listpackCount(buf, 0)).toBe(values.length);
      const positions: number[] = [];
      for (let pos = LISTPACK_HEADER_BYTES; !isListpackEnd(buf, pos); pos = listpackNext(buf, pos))
        positions.push(pos);
      let pos = buf.length - 1;
      for (const at of positions.toReversed()) {
        pos = listpackPrevious(buf, pos);
        expect(pos).toBe(at);
      }
      for (const [index, at] of positions.entries()) {
        expect(listpackSeek(buf, 0, buf.length, index)).toBe(at);
        expect(listpackSeek(buf, 0, buf.length, index - values.length)).toBe(at);
      }
      expect(listpackSeek(buf, 0, buf.length, values.length)).toBe(-1);
    }),
  );
});

test('the bytes are those of redis-server', () => {
  // RPUSH of these into a list of redis-server 7.0.15, taken from its DUMP.
  const values = ['hello', '1', '-1', '300', '-70000', '5000000', '123456789012', 'x'.repeat(64)];
  const dumped =
    '6d000000080085' +
    '68656c6c6f060101dfff02c12c02f290eefe04f2404b4c04f4141a99be1c00000009e040' +
    '78'.repeat(64) +
    '42ff';
  expect(pack(values).toString('hex')).toBe(dumped);
});

test('of sound listpacks those are ours that are as we write them, and what is not sound is broken', () => {
  const forms = new ListpackForms();
  const form = (hex: string): string => {
    const bytes = Buffer.from(hex, 'hex');
    return forms.of(bytes, 0, bytes.length);
  };
  fc.assert(
    fc.property(fc.array(texts, { maxLength: 20 }), (values) => {
      const buf = pack(values);
      expect(forms.of(buf, 0, buf.length)).toBe('ours');
    }),
  );
  // A text of one letter; the digit 7 as text; 7 in two bytes and in nine; a letter with a head of two bytes.
  expect(form('0a0000000100816102ff')).toBe('ours');
  expect(form('0a0000000100813702ff')).toBe('foreign');
  expect(form('0a0000000100c00702ff')).toBe('foreign');
  expect(form('110000000100f4070000000000000009ff')).toBe('foreign');
  expect(form('0b0000000100e0016103ff')).toBe('foreign');
  expect(form('0a0000000200816102ff')).toBe('broken');
  expect(form('0a0000000100816103ff')).toBe('broken');
});

test('damaged bytes are never sound, or can at least be walked', () => {
  const reader = new ListpackReader();
  const forms = new ListpackForms();
  fc.assert(
    fc.property(
      fc.array(texts, { maxLength: 8 }),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
      (values, damage) => {
        const buf = pack(values);
        for (const [at, byte] of damage) buf[at % buf.length] = byte;
        const isSound = isListpackSound(buf, 0, buf.length);
        expect(forms.of(buf, 0, buf.length) !== 'broken').toBe(isSound);
        if (!isSound) return;
        let count = 0;
        for (let pos = LISTPACK_HEADER_BYTES; !isListpackEnd(buf, pos); count++) {
          pos = reader.read(buf, pos);
          expect(pos).toBeLessThan(buf.length);
        }
        expect(count).toBe(listpackCount(buf, 0));
      },
    ),
  );
});
