/** Goal: names of libraries and functions clash as in redis-server 7.0.15. Method: libraries without code. */
import { expect, test } from 'vitest';
import { Lua, NativeFunction, NONE } from '../../lua/index.ts';
import { FunctionLibraries, type Library } from './function-libraries.ts';

const lua = new Lua({ clockMs: () => 0 });

function library(name: string, ...functions: readonly string[]): Library {
  return {
    ...{ name, code: `code of ${name}`, lua },
    functions: functions.map((fn) => ({
      ...{ name: fn, callback: new NativeFunction(fn, () => NONE), description: undefined },
      ...{ flags: 0, flagNames: [] },
    })),
  };
}

const group = (...libraries: readonly Library[]): FunctionLibraries =>
  new FunctionLibraries(libraries);
const names = (libraries: FunctionLibraries): string[] =>
  [...libraries.all()].map(({ name }) => name);

test('a function is found in any case, a library in its own only', () => {
  const libraries = group(library('One', 'Fn'));
  expect(libraries.findFunction('fN')?.fn.name).toBe('Fn');
  expect(libraries.find('one')).toBeUndefined();
  expect(libraries.add(library('one', 'other'))).toBeUndefined();
  expect(names(libraries)).toEqual(['One', 'one']);
});

test('two libraries have no function of one name, whatever its case', () => {
  const libraries = group(library('a', 'f', 'g'), library('b', 'h'));
  expect(libraries.add(library('c', 'x', 'G'))).toBe('Function G already exists');
  expect(libraries.add(library('b', 'F'))).toBe('Function F already exists');
  expect([names(libraries), libraries.functionCount]).toEqual([['a', 'b'], 3]);
});

test('a library takes the place of that with its name, and its functions go', () => {
  const libraries = group(library('a', 'f', 'g'));
  expect(libraries.add(library('a', 'G', 'h'))).toBeUndefined();
  expect(libraries.findFunction('f')).toBeUndefined();
  expect(libraries.findFunction('g')?.fn.name).toBe('G');
  expect([libraries.count, libraries.functionCount]).toEqual([1, 2]);
  expect([libraries.delete('a'), libraries.delete('a')]).toEqual([true, false]);
  expect([libraries.count, libraries.functionCount]).toEqual([0, 0]);
});

test('others join by a policy, or nothing changes', () => {
  const mine = group(library('a', 'f'), library('b', 'g'));
  const others = group(library('b', 'h'), library('c', 'i'));
  expect(mine.joined(others, 'append')).toBe('Library b already exists');
  expect(mine.joined(others, 'flush')).toBe(others);
  const replaced = mine.joined(others, 'replace');
  expect(typeof replaced === 'string' ? replaced : names(replaced)).toEqual(['a', 'b', 'c']);
  expect(mine.joined(group(library('c', 'F')), 'append')).toBe('Function F already exists');
  expect(mine.joined(group(library('a', 'G')), 'replace')).toBe('Function G already exists');
  // The one that had the function goes itself.
  const swapped = mine.joined(group(library('a', 'g'), library('b', 'f')), 'replace');
  expect(typeof swapped === 'string' ? swapped : swapped.functionCount).toBe(2);
  expect([names(mine), mine.functionCount]).toEqual([['a', 'b'], 2]);
});
