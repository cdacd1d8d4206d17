/**
 * Goal: whatever bytes a script gives to a library, it gets an answer or an error of Lua, in bounded time and space; what was
 * written is read back. Method: random bytes, and random pieces of the formats; values through cjson, cmsgpack and struct.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { installStandardLibraries } from '../libraries.ts';
import { Lua } from '../lua.ts';
import {
  LuaError,
  type LuaFunction,
  LuaTable,
  type LuaValue,
  PAUSED,
  firstResult,
  resultList,
} from '../values.ts';

const lua = new Lua({ clockMs: () => 0 });
installStandardLibraries(lua);

function native(library: string, name: string): LuaFunction {
  return (lua.globals.getString(library) as LuaTable).getString(name) as LuaFunction;
}

function call(library: string, name: string, ...args: LuaValue[]): readonly LuaValue[] {
  const result = native(library, name).call(...args);
  expect(result).not.toBe(PAUSED);
  return resultList(result);
}

/** Calls, and passes over errors of Lua, but no others. */
function attempt(library: string, name: string, ...args: LuaValue[]): void {
  try {
    call(library, name, ...args);
  } catch (error) {
    if (!(error instanceof LuaError)) throw error;
    expect(error.message).not.toBe('');
  }
}

function messageOf(library: string, name: string, ...args: LuaValue[]): string {
  try {
    call(library, name, ...args);
  } catch (error) {
    if (error instanceof LuaError) return error.message;
    throw error;
  }
  throw new Error('no error');
}

const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => String.fromCharCode(...array));

function pieces(...texts: string[]): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...texts), { maxLength: 12 }).map((parts) => parts.join(''));
}

/** A table of Lua, by a plain value of JavaScript. */
function toLua(value: unknown): LuaValue {
  if (Array.isArray(value)) return new LuaTable().adoptList([undefined, ...value.map(toLua)]);
  if (typeof value === 'object' && value !== null) {
    const table = new LuaTable();
    for (const [key, each] of Object.entries(value)) table.setString(key, toLua(each));
    return table;
  }
  return value as LuaValue;
}

function fromLua(value: LuaValue): unknown {
  if (!(value instanceof LuaTable)) return value;
  if (value.length > 0) return value.list.slice(1).map(fromLua);
  const entries: [string, unknown][] = [];
  for (let place = value.advance(0); place !== 0; place = value.advance(place)) {
    entries.push([value.keyAt(place) as string, fromLua(value.valueAt(place))]);
  }
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const key = fc
  .string({ minLength: 1, maxLength: 5, unit: 'binary-ascii' })
  .filter((text) => text !== '__proto__');
const scalar = fc.oneof(
  fc.boolean(),
  fc.integer(),
  fc.integer({ min: -(2 ** 46), max: 2 ** 46 }),
  fc.integer().map((n) => n / 64),
  bytes,
);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('tree'), { minLength: 1, maxLength: 12 }),
    fc.dictionary(key, tie('tree'), { minKeys: 1, maxKeys: 12 }),
  ),
}));

function sorted(value: unknown): unknown {
  return fromLua(toLua(value));
}

describe('what was written is read back', () => {
  test.each(['cjson', 'cmsgpack'])('%s', (library) => {
    const [write, read] = library === 'cjson' ? ['encode', 'decode'] : ['pack', 'unpack'];
    fc.assert(
      fc.property(tree, (value) => {
        const text = firstResult(call(library, write, toLua(value)));
        expect(fromLua(firstResult(call(library, read, text)))).toEqual(sorted(value));
      }),
    );
  });

  test('what cjson writes is JSON', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const text = firstResult(call('cjson', 'encode', toLua(value))) as string;
        expect(sorted(JSON.parse(text))).toEqual(sorted(value));
      }),
    );
  });

  test('struct, in both byte orders and any alignment', () => {
    const format = fc.constantFrom('>', '<', '!', '!2', '>!4', '');
    const field = fc.oneof(
      fc.integer({ min: -128, max: 127 }).map((n) => ['b', n] as const),
      fc.integer({ min: 0, max: 65535 }).map((n) => ['H', n] as const),
      fc.integer().map((n) => ['i4', n] as const),
      fc.integer({ min: -(2 ** 39), max: 2 ** 39 - 1 }).map((n) => ['i5', n] as const),
      fc.maxSafeInteger().map((n) => ['l', n] as const),
      fc.double({ noNaN: true }).map((n) => ['d', n] as const),
      fc.float({ noNaN: true }).map((n) => ['f', n] as const),
      bytes.map((text) => ['s', text.replaceAll('\0', '.')] as const),
    );
    fc.assert(
      fc.property(format, fc.array(field, { maxLength: 8 }), (order, fields) => {
        const layout = order + fields.map(([letter]) => letter).join(' ');
        const values = fields.map(([, value]) => value);
        const text = firstResult(call('struct', 'pack', layout, ...values)) as string;
        expect(call('struct', 'unpack', layout, text)).toEqual([...values, text.length + 1]);
      }),
    );
  });
});

describe('hostile input is answered or refused', () => {
  test('cjson.decode', () => {
    const json = pieces(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '1',
      '-',
      '0x',
      'e5',
      'nan',
      'null',
      '\\u',
      'd83d',
      ' ',
      '\0',
    );
    fc.assert(fc.property(fc.oneof(bytes, json), (text) => attempt('cjson', 'decode', text)));
  });

  test('cmsgpack.unpack, unpack_one and unpack_limit', () => {
    fc.assert(
      fc.property(bytes, fc.integer(), fc.integer({ min: -2, max: 9 }), (text, limit, offset) => {
        attempt('cmsgpack', 'unpack', text);
        attempt('cmsgpack', 'unpack_one', text, offset);
        attempt('cmsgpack', 'unpack_limit', text, limit, offset);
      }),
    );
  });

  test('struct.pack, unpack and size', () => {
    const format = pieces(
      '>',
      '<',
      '!',
      ' ',
      'b',
      'H',
      'i',
      'I',
      '9',
      '33',
      'c',
      '0',
      's',
      'x',
      'd',
      'f',
      '2',
      '%',
    );
    fc.assert(
      fc.property(fc.oneof(bytes, format), bytes, fc.double(), (layout, text, position) => {
        attempt('struct', 'unpack', layout, text);
        attempt('struct', 'unpack', layout, text, position);
        attempt('struct', 'size', layout);
        attempt('struct', 'pack', layout, position, text, position, text);
      }),
    );
  });

  test('patterns', () => {
    const pattern = pieces(
      'a',
      'b',
      '.',
      '%',
      '[',
      ']',
      '^',
      '-',
      '*',
      '?',
      '(',
      ')',
      '%b',
      '%f',
      '%1',
      '[^',
      '%a',
      '$',
      '\0',
    );
    const subject = pieces('a', 'b', '(', ')', '%', '\0', ' ', '1');
    fc.assert(
      fc.property(subject, fc.oneof(bytes, pattern), fc.double(), (text, expression, at) => {
        attempt('string', 'find', text, expression, at);
        attempt('string', 'match', text, expression);
        attempt('string', 'gsub', text, expression, expression);
        const next = attemptIterator(text, expression);
        for (let i = 0; next !== undefined && i < 20; i++) attemptCall(next);
      }),
    );
  });

  test('string.format', () => {
    const template = pieces(
      '%',
      'd',
      's',
      '5',
      '99',
      '.',
      '-',
      '#',
      '0',
      'g',
      'q',
      'c',
      'x',
      'i',
      '+',
      ' ',
    );
    fc.assert(
      fc.property(template, fc.double(), bytes, (text, number, other) => {
        attempt('string', 'format', text, number, other, number, other, number);
      }),
    );
  });

  test('functions of numbers and bits take any double', () => {
    for (const library of ['math', 'bit']) {
      const names = (lua.globals.getString(library) as LuaTable).keys as string[];
      fc.assert(
        fc.property(fc.constantFrom(...names), fc.double(), fc.double(), (name, x, y) => {
          if (native(library, name) instanceof Object) attempt(library, name, x, y);
        }),
      );
    }
  });
});

/** Of which twenty are too much together. */
const LONG = 'x'.repeat(30 << 20);

describe('everything is bounded', () => {
  test.each<[string, string, LuaValue[]]>([
    ['string', 'rep', ['x', 2 ** 31 - 1]],
    ['string', 'rep', ['x'.repeat(1 << 20), 600]],
    ['string', 'gsub', ['x'.repeat(1 << 15), 'x', 'y'.repeat(20_000)]],
    ['string', 'gsub', ['x'.repeat(1 << 15), '(x)', 'y'.repeat(20_000)]],
    ['string', 'gsub', ['x'.repeat(1 << 15), '()x', 'y'.repeat(20_000)]],
    ['string', 'format', ['%s'.repeat(20), ...Array.from({ length: 20 }, () => LONG)]],
    ['string', 'format', ['%q'.repeat(20), ...Array.from({ length: 20 }, () => LONG)]],
    ['struct', 'pack', ['s'.repeat(20), ...Array.from({ length: 20 }, () => LONG)]],
    ['cmsgpack', 'pack', Array.from({ length: 20 }, () => LONG)],
    ['cjson', 'encode', [new LuaTable().adoptList([undefined, ...Array<string>(20).fill(LONG)])]],
  ])('%s.%s refuses to make a text of more than 512 MiB', (library, name, args) => {
    expect(messageOf(library, name, ...args)).toBe('resulting string too large');
  });

  test('depth is bounded even where a script raises it', () => {
    call('cjson', 'decode_max_depth', 2 ** 31 - 1);
    call('cjson', 'encode_max_depth', 2 ** 31 - 1);
    expect(messageOf('cjson', 'decode', '['.repeat(1e6))).toContain('too many nested');
    expect(messageOf('cjson', 'decode', '{"":'.repeat(1e6))).toContain('too many nested');
    expect(messageOf('cmsgpack', 'unpack', '\x91'.repeat(1e6))).toContain('stack overflow');
    const ring = new LuaTable();
    ring.setIndex(1, ring);
    expect(messageOf('cjson', 'encode', ring)).toContain('excessive nesting');
    expect(call('cmsgpack', 'pack', ring)).toEqual(['\x91'.repeat(16) + '\xc0']);
  });

  test('a pattern on a long text needs no stack', () => {
    const long = 'x'.repeat(8 << 20);
    expect(call('string', 'find', long, '^(.*)y')).toEqual([undefined]);
    expect(call('string', 'match', long, '.-$')).toEqual([long]);
    expect(call('string', 'gsub', long, '.*', '')).toEqual(['', 2]);
    expect(messageOf('string', 'find', 'a'.repeat(2000), 'a?'.repeat(2000))).toBe(
      'pattern too complex',
    );
  });
});

function attemptIterator(text: string, expression: string): LuaFunction | undefined {
  try {
    return firstResult(native('string', 'gmatch').call(text, expression)) as LuaFunction;
  } catch (error) {
    if (error instanceof LuaError) return undefined;
    throw error;
  }
}

function attemptCall(f: LuaFunction): void {
  try {
    f.call();
  } catch (error) {
    if (!(error instanceof LuaError)) throw error;
  }
}
