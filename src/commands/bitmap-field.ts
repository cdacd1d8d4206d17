/** BITFIELD and BITFIELD_RO: a string as fields of 1 to 64 bits. */
import { NOT_INTEGER, parseInt64 } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { type BytesView, NONE, type Ref, makeRaw } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import { bitOffset } from './bitmap-bit.ts';
import type { Context } from './context.ts';
import { ERR_BITFIELD_OVERFLOW, ERR_BITFIELD_RO, ERR_BITFIELD_TYPE } from './data-errors.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX, refuse } from './errors.ts';
import { emptyView, isString, notifyKey, readKey, setRawKey, writeKey } from './key-access.ts';

type Overflow = 'wrap' | 'sat' | 'fail';

interface FieldType {
  readonly isSigned: boolean;
  /** In [1, 64], for unsigned fields [1, 63]. */
  readonly bits: number;
}

interface FieldOperation {
  readonly kind: 'get' | 'set' | 'incrby';
  readonly type: FieldType;
  /** In bits. */
  readonly offset: number;
  readonly value: bigint;
  readonly overflow: Overflow;
}

const LETTER_I = 0x69;
const LETTER_U = 0x75;
const INT64_MAX = (1n << 63n) - 1n;
/** Bits that a plain number can hold, in whole bytes. */
const PART_BITS = 48;
const OVERFLOWS: readonly Overflow[] = ['wrap', 'sat', 'fail'];
const KINDS: readonly FieldOperation['kind'][] = ['get', 'set', 'incrby'];

/** BITFIELD key [GET type offset | [OVERFLOW kind] SET|INCRBY type offset value]... */
export function bitfield(context: Context, request: Request, reply: ReplyWriter): void {
  const operations = parseOperations(context, request, reply);
  if (operations !== undefined) runOperations(context, request, reply, operations);
}

export function bitfieldRo(context: Context, request: Request, reply: ReplyWriter): void {
  const operations = parseOperations(context, request, reply);
  if (operations === undefined) return;
  if (operations.some(({ kind }) => kind !== 'get')) return reply.error(ERR_BITFIELD_RO);
  runOperations(context, request, reply, operations);
}

function parseOperations(
  context: Context,
  request: Request,
  reply: ReplyWriter,
): readonly FieldOperation[] | undefined {
  const operations: FieldOperation[] = [];
  let overflow: Overflow = 'wrap';
  for (let i = 2; i < request.argc;) {
    if (request.is(i, 'overflow') && i + 1 < request.argc) {
      const named = OVERFLOWS.find((name) => request.is(i + 1, name));
      if (named === undefined) return refuse(reply, ERR_BITFIELD_OVERFLOW);
      overflow = named;
      i += 2;
      continue;
    }
    const kind = KINDS.find((name) => request.is(i, name));
    const count = kind === 'get' ? 3 : 4;
    if (kind === undefined || i + count > request.argc) return refuse(reply, ERR_SYNTAX);
    const type = fieldType(request, i + 1);
    if (type === undefined) return refuse(reply, ERR_BITFIELD_TYPE);
    const offset = bitOffset(context, request, i + 2, reply, type.bits);
    if (offset < 0) return undefined;
    const value = kind === 'get' ? 0 : request.int(i + 3);
    if (value === NOT_INTEGER) return refuse(reply, ERR_NOT_INTEGER);
    operations.push({ kind, type, offset, value: BigInt(value), overflow });
    i += count;
  }
  return operations;
}

function fieldType(request: Request, i: number): FieldType | undefined {
  const at = request.at[i]!;
  const letter = request.buf[at];
  const size = request.size[i]!;
  if (size === 0 || (letter !== LETTER_I && letter !== LETTER_U)) return undefined;
  const bits = parseInt64(request.buf, at + 1, size - 1);
  const isSigned = letter === LETTER_I;
  if (typeof bits !== 'number' || bits < 1 || bits > (isSigned ? 64 : 63)) return undefined;
  return { isSigned, bits };
}

/**
 * The string while operations run on it. Operations that write make it raw and as long as they need at once, even if
 * all of them fail by OVERFLOW FAIL. Divergence: such a growth goes to our replicas; Redis leaves its own without it.
 */
class FieldString {
  changeCount = 0;
  readonly #context: Context;
  #ref: Ref;
  readonly #isGrowing: boolean;

  /** `sizeMin` is 0 when no operation writes. */
  constructor(context: Context, request: Request, ref: Ref, sizeMin: number) {
    this.#context = context;
    this.#ref = ref;
    this.#isGrowing = this.#view().size < sizeMin;
    if (sizeMin === 0) return;
    if (ref !== NONE) {
      this.#ref = makeRaw(context.db, ref, sizeMin);
      if (this.#isGrowing) context.db.changed(this.#ref);
      return;
    }
    const buf = Buffer.alloc(sizeMin);
    this.#ref = setRawKey(context, request, 1, { buf, at: 0, size: buf.length });
  }

  /** Counts the changes, of which growing has counted one. */
  finish(): void {
    if (this.changeCount === 0) return;
    this.#context.server.keyspace.dirty += this.changeCount - 1;
    if (!this.#isGrowing) this.#context.db.changed(this.#ref);
  }

  read(offset: number, bits: number): bigint {
    if (bits > PART_BITS) {
      const high = this.#readPart(offset, bits - PART_BITS);
      const low = this.#readPart(offset + bits - PART_BITS, PART_BITS);
      return (BigInt(high) << BigInt(PART_BITS)) | BigInt(low);
    }
    return BigInt(this.#readPart(offset, bits));
  }

  /** Writes the low `bits` of `value`, if it differs from what is there or makes the string longer. */
  write(offset: number, bits: number, value: bigint): void {
    if (!this.#isGrowing && this.read(offset, bits) === value) return;
    this.changeCount++;
    const lowBits = Math.min(bits, PART_BITS);
    const highBits = bits - lowBits;
    if (highBits > 0) this.#writePart(offset, highBits, Number(value >> BigInt(lowBits)));
    this.#writePart(offset + highBits, lowBits, Number(BigInt.asUintN(lowBits, value)));
  }

  /** Up to `PART_BITS` bits, byte by byte. */
  #readPart(offset: number, bits: number): number {
    const view = this.#view();
    let value = 0;
    let position = offset;
    for (let left = bits; left > 0;) {
      const byteAt = Math.floor(position / 8);
      const byte = byteAt < view.size ? view.buf[view.at + byteAt]! : 0;
      const shift = position % 8;
      const taken = Math.min(8 - shift, left);
      value = value * (1 << taken) + ((byte >>> (8 - shift - taken)) & ((1 << taken) - 1));
      position += taken;
      left -= taken;
    }
    return value;
  }

  #writePart(offset: number, bits: number, value: number): void {
    const view = this.#view();
    let rest = value;
    // From the last byte to the first, whose share is what is left.
    for (let left = bits; left > 0;) {
      const end = offset + left;
      const taken = Math.min(end % 8 || 8, left);
      const at = view.at + Math.floor((end - 1) / 8);
      const shift = (8 - (end % 8)) % 8;
      const mask = (1 << taken) - 1;
      const part = rest % (1 << taken);
      view.buf[at] = (view.buf[at]! & ~(mask << shift)) | (part << shift);
      rest = Math.floor(rest / (1 << taken));
      left -= taken;
    }
  }

  #view(): BytesView {
    return this.#ref === NONE ? emptyView() : this.#context.db.entries.stringView(this.#ref);
  }
}

function runOperations(
  context: Context,
  request: Request,
  reply: ReplyWriter,
  operations: readonly FieldOperation[],
): void {
  const ends = operations
    .filter(({ kind }) => kind !== 'get')
    .map(({ offset, type }) => offset + type.bits);
  const ref = ends.length === 0 ? readKey(context, request, 1) : writeKey(context, request, 1);
  if (ref !== NONE && !isString(context, ref, reply)) return;
  const string = new FieldString(context, request, ref, Math.ceil(Math.max(0, ...ends) / 8));
  reply.array(operations.length);
  for (const operation of operations) {
    const answer = run(string, operation);
    if (answer === undefined) reply.nullBulk();
    else reply.int(answer);
  }
  if (string.changeCount === 0) return;
  string.finish();
  notifyKey(context, KEYSPACE_EVENT.$, 'setbit', request, 1);
}

/** Carries one operation out; undefined when it fails by overflow. */
function run(string: FieldString, operation: FieldOperation): bigint | undefined {
  const { kind, type, offset } = operation;
  const stored = string.read(offset, type.bits);
  const old = type.isSigned ? BigInt.asIntN(type.bits, stored) : stored;
  if (kind === 'get') return old;
  const wanted = kind === 'incrby' ? old + operation.value : operation.value;
  const value = fitted(
    kind === 'set' && !type.isSigned ? BigInt.asUintN(64, wanted) : wanted,
    operation,
  );
  if (value === undefined) return undefined;
  string.write(offset, type.bits, BigInt.asUintN(type.bits, value));
  return kind === 'set' ? old : value;
}

/** `value` as the field can hold it, by the rule for overflows; undefined when that is to fail. */
function fitted(value: bigint, { kind, type, overflow }: FieldOperation): bigint | undefined {
  const { isSigned, bits } = type;
  const span = 1n << BigInt(isSigned ? bits - 1 : bits);
  const min = isSigned ? -span : 0n;
  if (value >= min && value < span) return value;
  if (overflow === 'fail') return undefined;
  const isSmall = value < min && !(kind === 'set' && isSigned && isTakenForLarge(value, span));
  if (overflow === 'sat') return isSmall ? min : span - 1n;
  return isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

/**
 * The distance to the greatest value of the field, in 64 bits as Redis has it, turns around for numbers so small: SET
 * takes them for too large.
 */
function isTakenForLarge(value: bigint, span: bigint): boolean {
  return span - 1n - value > INT64_MAX;
}
