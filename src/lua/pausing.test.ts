/**
 * Goal: a script gives way and goes on as if nothing had been, ends when it is told to, and never takes more of JavaScript's
 * stack than it may. Method: steps are counted and driven by hand; a stranger is thrown in from outside.
 */
import { expect, test } from 'vitest';
import { answer, finish, run, testLua } from './test-lua.ts';
import { LuaError, NativeFunction, SteppedFunction, machine } from './values.ts';

class Stop {}

const BUSY = [
  'while true do end',
  'local function f() return f() end f()',
  'repeat until false',
  'for i = 1, math.huge do end',
  'while true do pcall(function() while true do end end) end',
  'pcall(pcall, function() while true do end end)',
  'xpcall(function() while true do end end, function() return 1 end)',
  'coroutine.wrap(function() while true do end end)()',
  'local co = coroutine.wrap(function() coroutine.yield(1) while true do end end) co() pcall(co)',
  'table.sort({3, 1, 2}, function(a, b) while true do end end)',
  'local t = setmetatable({}, {__index = function() while true do end end}) return t.x',
  'local t = setmetatable({}, {__lt = function() while true do end end}) return t < t',
  'tostring(setmetatable({}, {__tostring = function() while true do end end}))',
  "string.gsub('abc', '.', function() while true do end end)",
  'for k in function() while true do end end do end',
  'xpcall(error, function() while true do end end)',
  'table.foreach({1}, function() while true do end end)',
  'load(function() while true do end end)',
  'local function f() local ok = pcall(f) return f() end f()',
];

test.each(BUSY)('%s pauses again and again, and ends when it is told to', (program) => {
  const lua = testLua({ ticksPerPause: 50 });
  const steps = lua.call(lua.compile(program, '@user_script'));
  for (let count = 0; count < 200; count++) expect(steps.next().done).toBe(false);
  expect(machine.depth).toBe(0);
  expect(machine.thread).toBeUndefined();
  const stop = new Stop();
  let thrown: unknown;
  try {
    steps.throw(stop);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBe(stop);
  expect([machine.depth, machine.natives, machine.outerNatives]).toEqual([0, 0, 0]);
  expect(machine.thread).toBeUndefined();
  expect(run(lua, 'local s = 0 for i = 1, 1000 do s = s + i end return s')).toEqual([500500]);
});

test('a script that is not told to pause does not', () => {
  const lua = testLua({ ticksPerPause: 10, shouldPause: () => false });
  const f = lua.compile('local s = 0 for i = 1, 10000 do s = s + i end return s', '@user_script');
  expect(finish(lua.call(f))).toEqual({ result: 50005000, pauses: 0 });
});

test('recursion goes as deep as in Lua, and then fails', () => {
  const lua = testLua();
  const deep = 'local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end ';
  expect(answer(lua, `${deep} return f(19000)`)).toBe('true|19000');
  expect(answer(lua, `${deep} return f(1e6)`)).toBe('false|user_script:1: stack overflow');
  expect(answer(lua, `${deep} return pcall(f, 1e6)`)).toBe(
    'true|false|user_script:1: stack overflow',
  );
  expect(answer(lua, 'local function f() return pcall(f) end return f()')).toContain('C stack');
});

test('calls at the end of a function need no stack', () => {
  const lua = testLua();
  const program =
    'local function f(n) if n == 0 then return "done" end return f(n - 1) end return f(300000)';
  expect(run(lua, program)).toEqual(['done']);
});

test('functions of ours that call back hand on every pause', () => {
  const lua = testLua({ ticksPerPause: 1 });
  const twice = new SteppedFunction('twice', function* (f, x) {
    const once = yield* lua.call(f as NativeFunction, x);
    return yield* lua.call(f as NativeFunction, once as number);
  });
  lua.globals.setString('twice', twice);
  const program = `local function slow(x) for i = 1, 10 do x = x + 1 end return x end
    return twice(slow, 1), (twice(function(x) return twice(slow, x) end, 0)),
      select(2, pcall(twice, function() error('inside') end, 1))`;
  expect(answer(lua, program)).toBe('true|21|40|user_script:3: inside');
});

test('an error of a function of ours knows its line and how it was called', () => {
  const lua = testLua();
  const fail = new NativeFunction('fail', () => {
    throw lua.argumentError(2, 'cat expected');
  });
  lua.globals.setString('fail', fail);
  expect(answer(lua, 'local other = fail\n\nother()')).toBe(
    "false|user_script:3: bad argument #2 to 'other' (cat expected)",
  );
  expect(answer(lua, 'local t = {f = fail} t:f()')).toBe(
    "false|user_script:1: bad argument #1 to 'f' (cat expected)",
  );
  expect(answer(lua, 'return pcall(fail)')).toBe(
    "true|false|bad argument #2 to '?' (cat expected)",
  );
  let caught: unknown;
  try {
    run(lua, 'local x = 1\nlocal function inner()\n return x.y.z\nend\ninner()');
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(LuaError);
  expect(caught).toMatchObject({ source: 'user_script', line: 3 });
});

test('coroutines can be inside each other only so far', () => {
  const program = `local depth = 0
    local function nest() depth = depth + 1 return coroutine.resume(coroutine.create(nest)) end
    local r = {nest()} return depth, r[#r]`;
  expect(answer(testLua(), program)).toBe('true|200|C stack overflow');
});

test.each([
  'local function f() table.sort({1, 2}, f) end f()',
  "local function f() string.gsub('abc', '.', f) end f()",
  'local function f() table.foreach({1}, f) end f()',
  'local function f() setmetatable({}, {__index = f}).x() end f()',
  `local function f() table.sort({1, 2}, function()
    local ok, e = coroutine.resume(coroutine.create(f)) error(e, 0) end) end f()`,
  `local function f() table.foreach({1}, function()
    local ok, e = coroutine.resume(coroutine.create(function() table.foreach({1}, f) end))
    error(e, 0) end) end f()`,
])('%s ends', (program) => {
  expect(answer(testLua(), program)).toMatch(/^false.*stack overflow$/);
});
