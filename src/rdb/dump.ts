/**
 * DUMP payloads: type byte, value, version (two bytes, least significant first), CRC64 of all before it.
 */
import { Crc64 } from '../base/index.ts';
import { RdbCursor } from './cursor.ts';
import { RDB_VERSION, TYPE_STRING, isKnownType, typeName } from './format.ts';
import type { RdbValue } from './value.ts';
import { type ValueDecoders, createDecoders } from './value-decoder.ts';
import { RdbWriter, type RdbWriterOptions } from './writer.ts';

const FOOTER_SIZE = 10;

/** The payload of `value`, as DUMP answers it. `checksum` of the options does not apply: a payload always has one. */
export function encodeDump(value: RdbValue, options: RdbWriterOptions = {}): Buffer {
  const writer = new RdbWriter({ ...options, checksum: true });
  writer.type(TYPE_STRING);
  writer.string(value.buf, value.at, value.size);
  writer.raw(Uint8Array.of(RDB_VERSION & 255, RDB_VERSION >> 8), 0, 2);
  writer.checksum();
  return writer.take();
}

/** `refused` carries the text of the error reply after `ERR `. */
export type DecodedDump =
  | { readonly kind: 'value'; readonly value: RdbValue }
  | {
      readonly kind: 'refused';
      readonly reason: 'wrongChecksum' | 'badFormat' | 'unsupported';
      readonly text: string;
    };

/**
 * The value in a DUMP payload `buf[at, at + size)`, as RESTORE takes it. Views in the value are valid as long as `buf` is.
 * Any bytes are safe to give.
 */
export function decodeDump(
  buf: Buffer,
  at: number,
  size: number,
  decoders: ValueDecoders = createDecoders(),
): DecodedDump {
  if (!isSound(buf, at, size)) {
    const text = 'DUMP payload version or checksum are wrong';
    return { kind: 'refused', reason: 'wrongChecksum', text };
  }
  const cursor = new RdbCursor();
  cursor.buf = buf;
  cursor.at = at;
  cursor.end = at + size - FOOTER_SIZE;
  const type = cursor.byte();
  const decoder = type === undefined ? undefined : decoders.get(type);
  if (type === undefined || !decoder) {
    if (type === undefined || !isKnownType(type)) return badFormat();
    return { kind: 'refused', reason: 'unsupported', text: `unsupported value: ${typeName(type)}` };
  }
  decoder.begin(type);
  const value = decoder.read(cursor);
  // Bytes after the value are let pass, as Redis does.
  return value === undefined ? badFormat() : { kind: 'value', value };
}

function badFormat(): DecodedDump {
  return { kind: 'refused', reason: 'badFormat', text: 'Bad data format' };
}

function isSound(buf: Buffer, at: number, size: number): boolean {
  if (size < FOOTER_SIZE) return false;
  const footer = at + size - FOOTER_SIZE;
  if (buf.readUInt16LE(footer) > RDB_VERSION) return false;
  const crc = new Crc64();
  crc.update(buf, at, size - 8);
  return crc.matches(buf, footer + 2);
}
