/**
 * Goal: a script can be stopped at each of its lines and looked at, and goes on as if nothing had been. Method: all programs of
 * the language's tests with a stop at every line; what is on the stack at some stops, by hand. Which lines are stopped at is
 * compared with the real server in `tests/golden/debugger/`.
 */
import { describe, expect, test } from 'vitest';
import { PausedCall } from './run.ts';
import { type StoppedCall, stoppedCalls } from './stopped-calls.ts';
import { FACTS } from './test-facts.ts';
import { answer, shown, testLua } from './test-lua.ts';
import { MORE_FACTS } from './test-more-facts.ts';
import { machine } from './values.ts';

/** What is on the stack whenever a line begins. */
function stops(program: string): StoppedCall[][] {
  const lua = testLua({ shouldPause: () => false });
  const f = lua.compileWithStops(program, '@user_script', () => true);
  const found: StoppedCall[][] = [];
  const paused = lua.start(f, []);
  if (!(paused instanceof PausedCall)) return found;
  do found.push(stoppedCalls());
  while (paused.steps.next().done !== true);
  return found;
}

/** At the last stop of a line: each call with its line and its variables. */
function stackAt(line: number, program: string): string[] {
  const lua = testLua();
  const calls = stops(program).findLast(([innermost]) => innermost?.line === line) ?? [];
  return calls.map(({ name, line: at, locals }) => {
    const values = locals.map((local) => `${local.name}=${shown(lua, local.value)}`);
    return [name ?? '?', at, ...values].join(' ');
  });
}

describe('with a stop at each line', () => {
  test.each([...FACTS, ...MORE_FACTS])('%s', (program, expected) => {
    const lua = testLua();
    lua.compile = (text, name) => lua.compileWithStops(text, name, () => true);
    expect(answer(lua, program)).toBe(expected);
  });
});

test('nothing stops, and nothing asks, in a text that is compiled without stops', () => {
  const lua = testLua({ shouldPause: () => false });
  const f = lua.compile('local a = 1\nfor i = 1, 10 do\n a = a + i\nend\nreturn a', '@user_script');
  expect(lua.start(f, [])).toBe(56);
  expect(String(f.call)).not.toMatch(/\bln\b|\bS\(/);
});

test('only the lines that are wanted are stopped at', () => {
  const lua = testLua({ shouldPause: () => false });
  const asked: number[] = [];
  const mayStop = (line: number): boolean => asked.push(line) > 0 && line === 2;
  const f = lua.compileWithStops('local a = 1\na = 2\nreturn a', '@user_script', mayStop);
  const paused = lua.start(f, []) as PausedCall;
  expect(stoppedCalls().map(({ line }) => line)).toEqual([2]);
  expect(paused.steps.next()).toEqual({ done: true, value: 2 });
  expect(asked).toEqual([1, 2, 3]);
});

test('variables that functions share are seen with the values that they have', () => {
  const program =
    'local n = 1\nlocal function up()\n n = n + 1\n return n\nend\nup()\nup()\nlocal m = n\nreturn m';
  expect(stackAt(4, program)).toEqual(['up 4', '? 7 n=3 up=function']);
  expect(stackAt(9, program)).toEqual(['? 9 n=3 up=function m=3']);
});

test('what functions of ours call, and what is called last, has no name', () => {
  expect(stackAt(2, 'pcall(function(x)\n local y = x\n return y\nend, 5)')).toEqual([
    '? 2 x=5',
    '? 1',
  ]);
  const last =
    'local function a(x)\n return x + 0\nend\nlocal function b(x)\n return a(x)\nend\nb(3)';
  expect(stackAt(2, last)).toEqual(['? 2 x=3', '? 7 a=function b=function']);
});

test('a coroutine shows its own calls alone', () => {
  const program =
    'local co = coroutine.wrap(function(a)\n local function deep(b)\n  coroutine.yield(b)\n  return b\n end\n deep(a)\nend)\nco(7)\nco()';
  expect(stackAt(4, program)).toEqual(['deep 4 b=7', '? 6 a=7 deep=function']);
});

test('a function of ours that calls back stands between, unseen', () => {
  const program =
    'local t = {3, 1, 2}\ntable.sort(t, function(a, b)\n local c = a < b\n return c\nend)';
  expect(stackAt(4, program)).toEqual(['? 4 a=1 b=2 c=true', '? 2 t=table']);
});

test('loops show what they count with', () => {
  expect(stackAt(2, 'for i = 1, 3 do\n local x = i\nend')).toEqual([
    '? 2 (for index)=3 (for limit)=3 (for step)=1 i=3',
  ]);
  expect(stackAt(2, "for k, v in pairs({'a'}) do\n local x = v\nend")).toEqual([
    '? 2 (for generator)=function (for state)=table (for control)=1 k=1 v=a',
  ]);
});

test('deep recursion stops and goes on, and leaves the machine as it was', () => {
  const program =
    'local function f(n)\n if n == 0 then return 0 end\n return 1 + f(n - 1)\nend\nreturn f(500)';
  const found = stops(program);
  expect(Math.max(...found.map((calls) => calls.length))).toBe(501);
  expect([machine.depth, machine.natives, machine.captured.length]).toEqual([0, 0, 0]);
});
