/**
 * Goal: what gsub calls back may take its time, fail and call gsub again. Method: callbacks that run long enough to give way,
 * in every place that calls back; the results as redis-server 7.0.15 gives them.
 */
import { describe, expect, test } from 'vitest';
import { installStandardLibraries } from '../libraries.ts';
import { Lua } from '../lua.ts';
import { type LuaValue, resultList } from '../values.ts';

const LONG = 'for i = 1, 300000 do end';

function run(text: string): { readonly values: readonly LuaValue[]; readonly pauses: number } {
  const lua = new Lua({ clockMs: () => 0 });
  installStandardLibraries(lua);
  const steps = lua.call(lua.compile(text, '@x'));
  let pauses = 0;
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) pauses++;
  return { values: resultList(step.value), pauses };
}

describe('gsub gives way', () => {
  test.each([
    ['in a function', `return ("abc"):gsub(".", function(c) ${LONG} return c .. c end)`],
    [
      'in a function of a metatable',
      `return ("abc"):gsub(".", setmetatable({}, {__index = function(t, c) ${LONG} return c .. c end}))`,
    ],
    [
      'in a function inside another',
      `return ("abc"):gsub(".", function(c)
        return (c:gsub(".", function(d) ${LONG} return d .. d end))
      end)`,
    ],
  ])('%s', (_where, text) => {
    const { values, pauses } = run(text);
    expect(values).toEqual(['aabbcc', 3]);
    expect(pauses).toBeGreaterThan(2);
  });
});

test('an error of a function comes through gsub after a pause as before one', () => {
  expect(
    run(`return pcall(string.gsub, "abc", ".", function() ${LONG} error("no") end)`).values,
  ).toEqual([false, 'x:1: no']);
  expect(run('return pcall(string.gsub, "abc", ".", function() error("no") end)').values).toEqual([
    false,
    'x:1: no',
  ]);
});

test('a coroutine does not yield through gsub', () => {
  const yields = 'string.gsub("abc", ".", function(c) coroutine.yield(c) end)';
  expect(run(`return coroutine.resume(coroutine.create(function() ${yields} end))`).values).toEqual(
    [false, 'attempt to yield across metamethod/C-call boundary'],
  );
});

test('an iterator of gmatch is a function of its own, whose end stays its end', () => {
  const text = `local next, r = ("a1b2"):gmatch("%a"), {}
    for i = 1, 4 do r[i] = tostring((next())) end
    return table.concat(r, " ") .. select("#", next())`;
  expect(run(text).values).toEqual(['a b nil nil0']);
});
