/**
 * Goal: tables that share a list of names are still tables of their own, whatever names come in whatever order. Method: texts
 * of JSON read by one library after the other, changed and walked.
 */
import { expect, test } from 'vitest';
import { LuaTable, type LuaValue } from '../values.ts';
import { decodeJson } from './json-decode.ts';
import { fieldLists } from './json-fields.ts';
import { defaultSettings } from './json-settings.ts';

function decoded(text: string): LuaTable {
  return decodeJson(text, defaultSettings()) as LuaTable;
}

function fieldsOf(table: LuaTable): LuaValue[] {
  const fields: LuaValue[] = [];
  for (let pair = table.next(undefined); pair !== undefined; pair = table.next(pair[0])) {
    fields.push(...pair);
  }
  return fields;
}

test('a table that is changed leaves others with the same names as they are', () => {
  const text = '{"a":1,"b":2}';
  const first = decoded(text);
  const second = decoded(text);
  expect(first.keys).toBe(second.keys);
  first.setString('c', 3);
  first.setString('a', undefined);
  expect(fieldsOf(first)).toEqual(['b', 2, 'c', 3]);
  expect(fieldsOf(second)).toEqual(['a', 1, 'b', 2]);
  expect(fieldsOf(decoded(text))).toEqual(['a', 1, 'b', 2]);
});

test.each([
  ['other names behind the same ones', '{"a":1,"x":2}', ['a', 1, 'x', 2]],
  ['a name that begins as the expected one', '{"ab":1}', ['ab', 1]],
  ['a name that is the beginning of the expected one', '{"":1}', ['', 1]],
  ['the expected name with an escape', '{"\\u0061":1}', ['a', 1]],
  ['a name twice', '{"a":1,"b":2,"a":3}', ['a', 3, 'b', 2]],
  ['a name twice at once', '{"a":1,"a":2}', ['a', 2]],
  ['a long name', `{"a":1,"${'n'.repeat(50)}":2}`, ['a', 1, 'n'.repeat(50), 2]],
])('%s', (_what, text, fields) => {
  decoded('{"a":1,"b":2,"c":3}');
  for (let time = 0; time < 3; time++) expect(fieldsOf(decoded(text))).toEqual(fields);
});

test('more names than a list has, some of them twice', () => {
  const names = Array.from({ length: 20 }, (_, index) => `name${index}`);
  const text = `{${[...names, 'name3', 'name15'].map((name, index) => `"${name}":${index}`).join(',')}}`;
  const table = decoded(text);
  expect(fieldsOf(table).filter((_, index) => index % 2 === 0)).toEqual(names);
  expect([table.getString('name3'), table.getString('name15')]).toEqual([20, 21]);
});

test('lists are bounded, and begin anew', () => {
  for (let index = 0; index < 3000; index++) decoded(`{"one${index}":1,"two${index}":2}`);
  const many = Array.from({ length: 3000 }, (_, index) => `{"x${index}":${index}}`);
  const table = decoded(`[${many.join(',')}]`);
  expect((table.getIndex(3000) as LuaTable).getString('x2999')).toBe(2999);
  let count = 0;
  const root = fieldLists();
  for (let index = 0; index < 3000; index++) if (root.with(`y${index}`) !== undefined) count++;
  expect(count).toBeLessThanOrEqual(1000);
  expect(count).toBeGreaterThan(0);
});
