/**
 * Goal: the libraries of scripts answer as redis-server 7.0.15 does, errors and odd corners included. Method: each line of the
 * transcripts is an expression, and the line below it what the real server's EVAL gave for it, shown by one and the same
 * program of Lua. The expressions of a file run one after the other: settings of cjson last.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Lua, LuaTable, firstResult, installStandardLibraries } from '../../../src/lua/index.ts';

const HERE = dirname(fileURLToPath(import.meta.url));

const SHOW = `
local function text(v)
  local t = v:gsub('[%c"\\\\\\128-\\255]', function(c) return string.format('\\\\%03d', c:byte()) end)
  return '"' .. t:gsub('%z', '\\\\000') .. '"'
end
local function shown(v, depth)
  local kind = type(v)
  if kind == 'string' then
    return #v > 300 and '<' .. #v .. ' bytes ' .. text(v:sub(1, 40)) .. '>' or text(v)
  elseif kind == 'number' then return string.format('%.17g', v)
  elseif kind ~= 'table' then return tostring(v)
  elseif depth > 5 then return '{...}' end
  local parts = {}
  for key, value in pairs(v) do
    parts[#parts + 1] = '[' .. shown(key, depth + 1) .. ']=' .. shown(value, depth + 1)
  end
  table.sort(parts)
  return '{' .. table.concat(parts, ',') .. '}'
end
local function list(...)
  local parts = {}
  for i = 1, select('#', ...) do parts[i] = shown((select(i, ...)), 0) end
  return #parts == 0 and '(none)' or table.concat(parts, ', ')
end
local function judged(ok, ...)
  return (ok and '' or 'ERR ') .. list(...)
end
local f, e = loadstring('return ' .. ARGV[1], '@x')
if not f then return 'SYNTAX ' .. e end
return judged(pcall(f))`;

function newShow(): (expression: string) => string {
  const lua = new Lua({ clockMs: () => 0 });
  installStandardLibraries(lua);
  const show = lua.compile(SHOW, '@show');
  return (expression) => {
    lua.globals.setString('ARGV', new LuaTable().adoptList([undefined, expression]));
    const steps = lua.call(show);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return firstResult(step.value) as string;
  };
}

describe.each(readdirSync(HERE).filter((name) => name.endsWith('.txt')))('%s', (name) => {
  test('gives what the real server gave', () => {
    const show = newShow();
    const lines = readFileSync(join(HERE, name), 'latin1').split('\n');
    const wrong: string[] = [];
    const times = name === 'patterns.txt' ? 10 : 1;
    for (let at = 0; at + 1 < lines.length; at += 2) {
      const expression = lines[at]!;
      let given = `  ${show(expression)}`;
      // A pattern that is used again becomes code.
      for (let time = 1; time < times && given === lines[at + 1]; time++) {
        given = `  ${show(expression)}`;
      }
      if (given !== lines[at + 1]) wrong.push(`${expression}\n${lines[at + 1]!}\n${given}`);
    }
    expect(lines.length).toBeGreaterThan(40);
    expect(wrong).toEqual([]);
  });
});

test('a fact that is not so is found', () => {
  expect(newShow()('string.rep("ab", 2), nil, {1, {x = "\\0"}}')).toBe(
    '"abab", nil, {[1]=1,[2]={["x"]="\\000"}}',
  );
  expect(newShow()('error("no")')).toBe('ERR "x:1: no"');
});
