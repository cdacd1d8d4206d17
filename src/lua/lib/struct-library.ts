/** The library `struct`: numbers and texts as the bytes of C. Source: behaviour of redis-server 7.0.15. */
import {
  argumentError,
  integerArgument,
  numberArgument,
  tableOf,
  textArgument,
} from '../arguments.ts';
import type { Lua } from '../lua.ts';
import type { LuaValue } from '../values.ts';
import { output } from './byte-output.ts';
import { NEGATIVE_NAN_BYTE } from './byte-text.ts';
import { unsignedBits } from './number-format.ts';
import { StructFormat, type Step, formatSteps, mistakeOf, paddingAt } from './struct-format.ts';
import { StructReader } from './struct-reader.ts';

const FLOAT_BYTES = 4;
const DOUBLE_BYTES = 8;
const HALF_BITS = 32;
const HALF_LIMIT = 2 ** HALF_BITS;

export function installStructLibrary(lua: Lua): void {
  lua.globals.setString(
    'struct',
    tableOf({
      pack(...args) {
        return pack(formatSteps(textArgument(args[0], 1, args.length)), args);
      },
      unpack(format, data, position) {
        const { length } = arguments;
        const steps = formatSteps(textArgument(format, 1, length));
        const text = textArgument(data, 2, length);
        const first = position === undefined ? 1 : integerArgument(position, 3, 3);
        if (first === 0) throw argumentError(3, 'offset must be 1 or greater');
        // Below 1, the place is one far beyond any text there.
        return new StructReader(text, length).values(steps, first < 1 ? Infinity : first - 1);
      },
      size(format) {
        return sizeOf(new StructFormat(textArgument(format, 1, arguments.length)));
      },
    }),
  );
}

function sizeOf(layout: StructFormat): number {
  let total = 0;
  while (layout.next()) {
    const { letter, size } = layout;
    total += paddingAt(layout.unit, total) + size;
    if (letter === 's') throw argumentError(1, "option 's' has no fixed size");
    if (letter === 'c' && size === 0) throw argumentError(1, "option 'c0' has no fixed size");
    if (!/[a-z0-9]/i.test(letter)) layout.control();
  }
  return total;
}

function pack(steps: readonly Step[], args: readonly LuaValue[]): string {
  output.begin();
  let index = 1;
  for (const step of steps) {
    if (step.unit > 1) writeZeros(paddingAt(step.unit, output.size));
    if (step.kind === 'skip') writeZeros(1);
    else if (step.kind === 'fail') throw mistakeOf(step);
    else if (step.kind !== 'none') {
      index++;
      write(step, args[index - 1], index);
    }
  }
  return output.finish();
}

function write(step: Step, value: LuaValue, index: number): void {
  const { kind } = step;
  if (kind === 'integer') {
    const number = typeof value === 'number' ? value : numberArgument(value, index, index);
    writeInteger(step, Math.trunc(number));
  } else if (kind === 'bytes' || kind === 'text') writeText(step, value, index);
  else writeFloat(step, numberArgument(value, index, index));
}

function writeText({ kind, size }: Step, value: LuaValue, index: number): void {
  const text = textArgument(value, index, index);
  // The library counts on before it complains.
  if (text.length < size) throw argumentError(index + 1, 'string too short');
  output.text(size === 0 ? text : text.slice(0, size));
  if (kind === 'text') writeZeros(1);
}

function writeZeros(count: number): void {
  output.reserve(count);
  for (let left = count; left > 0; left--) output.byte(0);
}

function writeFloat({ kind, isLittle }: Step, value: number): void {
  const size = kind === 'float' ? FLOAT_BYTES : DOUBLE_BYTES;
  output.reserve(size);
  const { size: at, view } = output;
  if (kind === 'float') view.setFloat32(at, value, isLittle);
  else view.setFloat64(at, value, isLittle);
  if (Number.isNaN(value)) view.setUint8(isLittle ? at + size - 1 : at, NEGATIVE_NAN_BYTE);
  output.size = at + size;
}

/** The low bytes of a whole number, negative ones as two's complement of 64 bits; those above 64 bits are 0. */
function writeInteger({ size, isLittle }: Step, value: number): void {
  output.reserve(size);
  let low = value >>> 0;
  let high = 0;
  if (!Number.isSafeInteger(value)) {
    const bits = unsignedBits(value);
    low = Number(BigInt.asUintN(HALF_BITS, bits));
    high = Number(bits >> BigInt(HALF_BITS));
  } else if (size > 4) high = Math.floor(value / HALF_LIMIT) >>> 0;
  const { bytes, size: start } = output;
  const step = isLittle ? 1 : -1;
  let at = isLittle ? start : start + size - 1;
  for (let index = 0; index < size; index++, at += step) {
    bytes[at] = index < 4 ? low >>> (8 * index) : index < 8 ? high >>> (8 * index - HALF_BITS) : 0;
  }
  output.size = start + size;
}
