/**
 * DUMP payloads: type byte, value, version (two bytes, least significant first), CRC64 of all before it.
 */
import { Crc64 } from '../base/index.ts';
import { RdbCursor, StringSlot } from './cursor.ts';
import { createDecoders } from './decoders.ts';
import { OPCODE_FUNCTION2, OPCODE_FUNCTION_PRE_GA } from './format.ts';
import { foreignTypeName } from './type-names.ts';
import type { ValueSink } from './value.ts';
import type { ValueDecoders } from './value-decoder.ts';
import { RDB_VERSION, isReadableVersion } from './versions.ts';
import { RdbWriter, type RdbWriterOptions } from './writer.ts';

/** Bytes behind the type and the value of a payload: version and checksum. */
export const DUMP_FOOTER_BYTES = 10;

/**
 * The payload of the type and value that `write` writes, as DUMP answers it: lent until the next call. `checksum` of the
 * options does not apply: a payload always has one.
 */
export function lendDump(
  write: (writer: RdbWriter) => void,
  options: RdbWriterOptions = {},
): Buffer {
  const writer = (options.compression ?? true) ? COMPRESSING : PLAIN;
  writer.reset();
  write(writer);
  writer.raw(VERSION, 0, VERSION.length);
  writer.checksum();
  return writer.lend();
}

/** The same payload, the caller's own. */
export function encodeDump(
  write: (writer: RdbWriter) => void,
  options: RdbWriterOptions = {},
): Buffer {
  return Buffer.from(lendDump(write, options));
}

// Scratch: used within one call. A writer with its tables of its own for each key would cost many times its work.
const COMPRESSING = new RdbWriter();
const PLAIN = new RdbWriter({ compression: false });
const VERSION: Uint8Array = Uint8Array.of(RDB_VERSION & 255, RDB_VERSION >> 8);

/** Ends the payload that begins at `at`, whose type and value end at `end`: `DUMP_FOOTER_BYTES` more are written there. */
export function sealDump(buf: Buffer, at: number, end: number, version: number): void {
  buf.writeUInt16LE(version, end);
  SEAL.reset();
  SEAL.update(buf, at, end + 2 - at);
  SEAL.writeTo(buf, end + 2);
}

// Scratch: used within one call.
const SEAL = new Crc64();

const WRONG_CHECKSUM = 'DUMP payload version or checksum are wrong';

/** Why a payload's value is refused; `at` is the position in the payload. */
export interface DumpFlaw {
  readonly reason: string;
  readonly at: number;
}

/** Why the frame of a payload is refused: the text of the error reply after `ERR `. Any bytes are safe to give. */
export function dumpFrameFlaw(
  buf: Buffer,
  at: number,
  size: number,
  checksChecksum: boolean,
): string | undefined {
  if (size < DUMP_FOOTER_BYTES) return WRONG_CHECKSUM;
  const footer = at + size - DUMP_FOOTER_BYTES;
  if (!isReadableVersion(buf.readUInt16LE(footer))) return WRONG_CHECKSUM;
  if (!checksChecksum) return undefined;
  const crc = new Crc64();
  crc.update(buf, at, size - 8);
  return crc.matches(buf, footer + 2) ? undefined : WRONG_CHECKSUM;
}

/**
 * Gives `sink` the value in a payload `buf[at, at + size)` whose frame is right, as RESTORE takes it. Any bytes are safe
 * to give.
 * @returns undefined, or why it is refused and where in the payload
 */
export function decodeDump(
  buf: Buffer,
  at: number,
  size: number,
  sink: ValueSink,
  decoders: ValueDecoders = createDecoders(),
): DumpFlaw | undefined {
  const cursor = new RdbCursor();
  cursor.buf = buf;
  cursor.at = at;
  cursor.end = at + size - DUMP_FOOTER_BYTES;
  const type = cursor.byte();
  const decoder = type === undefined ? undefined : decoders.get(type);
  if (type === undefined || decoder === undefined) {
    const name = type === undefined ? undefined : foreignTypeName(type);
    const reason =
      name === undefined
        ? `Unknown RDB encoding type ${type ?? 'none'}`
        : `a ${name}, which this server does not have`;
    return { reason, at: 0 };
  }
  decoder.begin(type);
  // Bytes after the value are let pass, as Redis does.
  const outcome = decoder.read(cursor, sink);
  if (outcome === 'done') return undefined;
  if (outcome === 'empty') return { reason: 'empty key', at: cursor.at - at };
  return { reason: cursor.problem || 'Unexpected end of the payload', at: cursor.at - at };
}

/** What a payload of FUNCTION DUMP holds. */
export interface LibraryPayload {
  /** Codes of libraries, one character a byte, up to the flaw. */
  readonly codes: readonly string[];
  /** Why the rest cannot be read: the text of the error reply after `ERR `. */
  readonly flaw: string | undefined;
}

/** The payload of these libraries, as FUNCTION DUMP answers it. */
export function encodeLibraries(codes: Iterable<string>, options: RdbWriterOptions = {}): Buffer {
  return encodeDump((writer) => {
    for (const code of codes) writer.library(Buffer.from(code, 'latin1'));
  }, options);
}

/** The libraries in a payload `buf[at, at + size)` whose frame is right. Any bytes are safe to give. */
export function decodeLibraries(buf: Buffer, at: number, size: number): LibraryPayload {
  const cursor = new RdbCursor();
  cursor.buf = buf;
  cursor.at = at;
  cursor.end = at + size - DUMP_FOOTER_BYTES;
  const codes: string[] = [];
  const code = new StringSlot();
  while (cursor.at < cursor.end) {
    const opcode = cursor.byte();
    if (opcode === OPCODE_FUNCTION_PRE_GA) {
      return { codes, flaw: 'Pre-release function format not supported.' };
    }
    if (opcode !== OPCODE_FUNCTION2) return { codes, flaw: 'given type is not a function' };
    if (!cursor.string(code)) return { codes, flaw: 'Failed loading library code' };
    codes.push(code.copy().toString('latin1'));
  }
  return { codes, flaw: undefined };
}
