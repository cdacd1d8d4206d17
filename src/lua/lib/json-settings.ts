/**
 * What `cjson` can be told: each copy of the library (`cjson.new`) has settings of its own, and a function
 * for each that sets it and answers it. Source: lua-cjson's manual; behaviour of redis-server 7.0.15.
 */
import { argumentError, int32Argument, integerArgument, textArgument } from '../arguments.ts';
import { LuaUserdata, type LuaValue } from '../values.ts';

/** JSON's null as a value of Lua, where nil would be no element at all. */
export const JSON_NULL: LuaUserdata = new LuaUserdata('userdata: (nil)');

const INT32_MAX = 2 ** 31 - 1;
const PRECISION_MAX = 14;
const SWITCH = ['off', 'on'] as const;
const SWITCH_OR_NULL = ['off', 'on', 'null'] as const;

export interface JsonSettings {
  /** Whether an array with too many holes becomes an object, rather than an error. */
  sparseConvert: boolean;
  /** An array has too many holes if it is longer than so many times its elements; 0 for never. */
  sparseRatio: number;
  /** Arrays up to this length have never too many. */
  sparseSafe: number;
  encodeDepthMax: number;
  decodeDepthMax: number;
  /** Significant digits of numbers. */
  precision: number;
  /** Kept to be answered: no buffer outlives a call here. */
  keepsBuffer: boolean;
  /** What is written for a number that JSON has not: an error, its name, or null. */
  encodeInvalid: (typeof SWITCH_OR_NULL)[number];
  /** Whether numbers are read that JSON has not, such as 0x10 and nan. */
  decodeInvalid: boolean;
}

export function defaultSettings(): JsonSettings {
  return {
    sparseConvert: false,
    sparseRatio: 2,
    sparseSafe: 10,
    encodeDepthMax: 1000,
    decodeDepthMax: 1000,
    precision: PRECISION_MAX,
    keepsBuffer: true,
    encodeInvalid: 'off',
    decodeInvalid: true,
  };
}

type Setter = (...args: LuaValue[]) => LuaValue | LuaValue[];

export function settingFunctions(settings: JsonSettings): Record<string, Setter> {
  return {
    encode_sparse_array(...args) {
      checkCount(args, 3);
      settings.sparseConvert = chosen(args[0], SWITCH, onOff(settings.sparseConvert)) === 'on';
      settings.sparseRatio = integerSetting(args, 1, settings.sparseRatio, [0, INT32_MAX]);
      settings.sparseSafe = integerSetting(args, 2, settings.sparseSafe, [0, INT32_MAX]);
      return [settings.sparseConvert, settings.sparseRatio, settings.sparseSafe];
    },
    encode_max_depth(...args) {
      checkCount(args, 1);
      settings.encodeDepthMax = integerSetting(args, 0, settings.encodeDepthMax, [1, INT32_MAX]);
      return settings.encodeDepthMax;
    },
    decode_max_depth(...args) {
      checkCount(args, 1);
      settings.decodeDepthMax = integerSetting(args, 0, settings.decodeDepthMax, [1, INT32_MAX]);
      return settings.decodeDepthMax;
    },
    encode_number_precision(...args) {
      checkCount(args, 1);
      settings.precision = integerSetting(args, 0, settings.precision, [1, PRECISION_MAX]);
      return settings.precision;
    },
    encode_keep_buffer(...args) {
      checkCount(args, 1);
      settings.keepsBuffer = chosen(args[0], SWITCH, onOff(settings.keepsBuffer)) === 'on';
      return settings.keepsBuffer;
    },
    encode_invalid_numbers(...args) {
      checkCount(args, 1);
      settings.encodeInvalid = chosen(args[0], SWITCH_OR_NULL, settings.encodeInvalid);
      return settings.encodeInvalid === 'null' ? 'null' : settings.encodeInvalid === 'on';
    },
    decode_invalid_numbers(...args) {
      checkCount(args, 1);
      settings.decodeInvalid = chosen(args[0], SWITCH, onOff(settings.decodeInvalid)) === 'on';
      return settings.decodeInvalid;
    },
  };
}

function checkCount(args: readonly LuaValue[], max: number): void {
  if (args.length > max) throw argumentError(max + 1, 'found too many arguments');
}

function onOff(isOn: boolean): 'on' | 'off' {
  return isOn ? 'on' : 'off';
}

/** An option by its name or as a boolean; nil leaves what there is. */
function chosen<T extends string>(value: LuaValue, options: readonly T[], present: T): T {
  if (value === undefined) return present;
  const name = typeof value === 'boolean' ? onOff(value) : textArgument(value, 1, 1);
  const option = options.find((each) => each === name);
  if (option === undefined) throw argumentError(1, `invalid option '${name}'`);
  return option;
}

function integerSetting(
  args: readonly LuaValue[],
  index: number,
  present: number,
  [min, max]: readonly [number, number],
): number {
  if (args[index] === undefined) return present;
  const value = integerArgument(args[index], index + 1, args.length);
  if (value >= min && value <= max) return int32Argument(value, index + 1, args.length);
  // The library names its first argument whichever it is.
  throw argumentError(1, `expected integer between ${min} and ${max}`);
}
