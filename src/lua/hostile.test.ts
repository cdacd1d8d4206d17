/**
 * Goal: whatever a text holds, it compiles or is refused with an error of Lua, and what it runs never meets JavaScript.
 * Method: random tokens and bytes; names and texts that mean something to JavaScript; chains and nests of great length.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answer, testLua } from './test-lua.ts';
import { LuaError } from './values.ts';

const TOKENS = [
  ...'and break do else elseif end false for function if in local nil not or'.split(' '),
  ...'repeat return then true until while a b c x self arg constructor __proto__'.split(' '),
  ...'+ - * / % ^ # == ~= <= >= < > = ( ) { } [ ] ; : , . .. ...'.split(' '),
  ...[
    '1',
    '0x1p',
    '1e5',
    '"s"',
    "'\\n'",
    '[[l]]',
    '[=[x]=]',
    '--c\n',
    '\n',
    '"\\',
    '`',
    '${x}',
    '\\',
  ],
];

/** Runs a text for some steps; answers what it came to. */
function attempt(text: string): unknown {
  const lua = testLua({ ticksPerPause: 100 });
  try {
    const steps = lua.call(lua.compile(text, '@user_script'));
    for (let count = 0; count < 5; count++) if (steps.next().done === true) return undefined;
    return undefined;
  } catch (error) {
    return error;
  }
}

test('any tokens run or fail as Lua', () => {
  const soup = fc.array(fc.constantFrom(...TOKENS), { maxLength: 40 }).map((all) => all.join(' '));
  fc.assert(
    fc.property(soup, (text) => {
      const error = attempt(text);
      expect(error === undefined || error instanceof LuaError).toBe(true);
    }),
    { numRuns: 3000 },
  );
});

test('any bytes run or fail as Lua', () => {
  const bytes = fc.uint8Array({ maxLength: 60 }).map((all) => String.fromCharCode(...all));
  fc.assert(
    fc.property(bytes, (text) => {
      const error = attempt(text);
      expect(error === undefined || error instanceof LuaError).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  [
    'local t = {} return t.constructor, t.__proto__, t.list, t.keys, t.hasOwnProperty',
    'true|nil|nil|nil|nil|nil',
  ],
  [
    'local t = {} t.__proto__ = 1 t.constructor = 2 return t.__proto__, t.constructor, next(t)',
    'true|1|2|__proto__|1',
  ],
  ["local t = {1} return t['length'], t['0'], t['list'], t[0]", 'true|nil|nil|nil|nil'],
  ["return ('x').length, ('x').constructor, (''):len()", 'true|nil|nil|0'],
  [
    'local constructor, prototype, eval, M, P, R, G, T = 1, 2, 3, 4, 5, 6, 7, 8 return constructor + M + G',
    'true|12',
  ],
  ['local self, va, pc, re, rv, s, e, f = 1, 2, 3, 4, 5, 6, 7, 8 return self + pc + f', 'true|12'],
  ['local function this(class) local var = class return var end return this(5)', 'true|5'],
  [
    "return '`${1 + 1}`', '\\\\', \"'\", '*/', '</script>', '\\0'",
    "true|`${1 + 1}`|\\|'|*/|</script>|\0",
  ],
  ["local t = {['a\\0b'] = 1, ['\\n'] = 2} return t['a\\0b'], t['\\n']", 'true|1|2'],
  [
    'return process',
    "false|user_script:1: Script attempted to access nonexistent global variable 'process'",
  ],
  [
    'return globalThis',
    "false|user_script:1: Script attempted to access nonexistent global variable 'globalThis'",
  ],
  [
    "return collectgarbage('toString')",
    "false|user_script:1: bad argument #1 to 'collectgarbage' (invalid option 'toString')",
  ],
])('%s stays in Lua', (program, expected) => {
  expect(answer(testLua(), program)).toBe(expected);
});

test.each([
  ['operators', `return ${'1 + '.repeat(30_000)}1`, 'true|30001'],
  ['comparisons', `return ${'1 == '.repeat(10_000)}1`, 'true|false'],
  ['choices', `return ${'false or '.repeat(10_000)}7`, 'true|7'],
  ['conditions', `if ${'true and '.repeat(10_000)}7 then return 8 end`, 'true|8'],
  ['fields', `local t = {} t.t = t return t${'.t'.repeat(10_000)} == t`, 'true|true'],
  [
    'calls',
    `local function f() return f end f = function() return f end return f${'()'.repeat(5000)} == f`,
    'true|true',
  ],
  [
    'branches',
    `local x = 5 if x == 1 then ${'elseif x == 2 then '.repeat(3000)} else return 9 end`,
    'true|9',
  ],
  ['elements', `return #{${'1,'.repeat(50_000)}}`, 'true|50000'],
  ['statements', `local x = 0 ${'x = x + 1 '.repeat(20_000)} return x`, 'true|20000'],
  ['blocks', `${'do '.repeat(190)} return 1 ${'end '.repeat(190)}`, 'true|1'],
  [
    'loops',
    `${'while true do '.repeat(150)} break ${'end break '.repeat(149)} end return 1`,
    'true|1',
  ],
  ['functions', `return ${'(function() return '.repeat(60)} 5 ${'end)()'.repeat(60)}`, 'true|5'],
])('long chains of %s', (_name, program, expected) => {
  expect(answer(testLua(), program)).toBe(expected);
});

test('texts that would fill memory are errors', () => {
  const lua = testLua();
  expect(answer(lua, "local s = 'x' for i = 1, 60 do s = s .. s end")).toBe(
    'false|not enough memory',
  );
});
