/**
 * Goal: programs mean what they mean in Redis, to the letter of each error. Method: facts seen on redis-server 7.0.15, run
 * once as they are and once with a pause at every loop turn and call, so that each function goes on in its second form.
 */
import { describe, expect, test } from 'vitest';
import { FACTS } from './test-facts.ts';
import { MORE_FACTS } from './test-more-facts.ts';
import { answer, testLua } from './test-lua.ts';
import { SYNTAX_FACTS } from './test-syntax-facts.ts';

describe.each([
  ['without pauses', { shouldPause: () => false }],
  ['with a pause at each turn and call', { ticksPerPause: 1 }],
  ['with a pause at some of them', { ticksPerPause: 3 }],
])('programs %s', (_name, options) => {
  test.each([...FACTS, ...MORE_FACTS])('%s', (program, expected) => {
    expect(answer(testLua(options), program)).toBe(expected);
  });
});

test.each(SYNTAX_FACTS)('no Lua: %s', (program, expected) => {
  expect(answer(testLua(), program)).toBe(expected);
});

test.each([
  [`${'('.repeat(198)}1${')'.repeat(198)}`, 'true|1'],
  [`${'('.repeat(201)}1${')'.repeat(201)}`, 'user_script:1: chunk has too many syntax levels'],
  [`${'{'.repeat(201)}1${'}'.repeat(201)}`, 'user_script:1: chunk has too many syntax levels'],
  [`${'a..'.repeat(201)}1`, 'user_script:1: chunk has too many syntax levels'],
  [`${'1+'.repeat(20_000)}1`, 'true|20001'],
])('depth of %#', (expression, expected) => {
  expect(answer(testLua(), `return ${expression}`)).toBe(expected);
});

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `a${index}`);

test('a function has 200 variables and 60 of others', () => {
  const lua = testLua();
  const locals = (count: number): string => `local ${names(count).join(' local ')}`;
  expect(answer(lua, `${locals(200)} return 1`)).toBe('true|1');
  expect(answer(lua, `\n${locals(201)}`)).toBe(
    'user_script:2: main function has more than 200 local variables',
  );
  expect(answer(lua, `\nlocal function f() ${locals(201)} end`)).toBe(
    'user_script:2: function at line 2 has more than 200 local variables',
  );
  const uses = (count: number): string =>
    `local ${names(count).join(', ')} = 1\nreturn (function() return ${names(count).join(', ')} end)()`;
  expect(answer(lua, `${uses(60)}`)).toMatch(/^true\|1\|nil/);
  expect(answer(lua, uses(65))).toBe('user_script:2: function at line 2 has more than 60 upvalues');
});

test('lines of errors are those of Redis', () => {
  const lua = testLua();
  expect(answer(lua, 'local x = 1\n\nif x then\n\nfoo(\n')).toBe(
    "user_script:6: unexpected symbol near '<eof>'",
  );
  expect(answer(lua, 'local f = 1\nf\n(1)\n')).toBe(
    "user_script:3: ambiguous syntax (function call x new statement) near '('",
  );
  expect(answer(lua, 'local x = 1\nif x then\n while x do\n return 1 end\n')).toBe(
    "user_script:5: 'end' expected (to close 'if' at line 2) near '<eof>'",
  );
  expect(answer(lua, 'local t = {\n1,2\n\n')).toBe(
    "user_script:4: '}' expected (to close '{' at line 1) near '<eof>'",
  );
  expect(answer(lua, 'local t = {}\nlocal x = 1 +\n t.a')).toMatch(
    /^false\|user_script:3: attempt/,
  );
});
