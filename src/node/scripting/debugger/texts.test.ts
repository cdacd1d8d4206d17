/**
 * Goal: values and replies of every kind are shown, whole or cut off. Method: by hand; what is usual is compared with the real
 * server in `tests/golden/debugger/`.
 */
import { expect, test } from 'vitest';
import { LuaTable, LuaUserdata, type LuaValue, NativeFunction } from '../../../lua/index.ts';
import { replyText } from './reply-text.ts';
import { valueText } from './value-text.ts';

function list(...values: readonly LuaValue[]): LuaTable {
  return new LuaTable().adoptList([undefined, ...values]);
}

test.each<[string, LuaValue, string]>([
  ['nil', undefined, 'nil'],
  ['a boolean', false, 'false'],
  ['an integer', 14, '14'],
  ['a number of many digits', 123456789, '1.23457e+08'],
  ['an infinity', -Infinity, '-inf'],
  ['a text', 'a"\n\x01\xff', '"a\\"\\n\\x01\\xff"'],
  ['a function', new NativeFunction('f', () => 1), '"function@0x7"'],
  ['a userdata', new LuaUserdata('userdata: (nil)'), '"light-userdata@(nil)"'],
  ['an empty table', new LuaTable(), '{}'],
  ['a list', list(1, list('x')), '{1; {"x"}}'],
  ['a list with a hole', list(1, undefined, 3), '{[1]=1; [3]=3}'],
  ['a record', new LuaTable().adoptFields(['k'], [list()]), '{["k"]={}}'],
])('%s', (_name, value, text) => {
  const addressOf = (of: LuaValue): string =>
    of instanceof LuaUserdata ? of.text : 'function: 0x7';
  expect(valueText(value, addressOf, 1000)).toBe(text);
});

test('a table that is inside itself ends', () => {
  const table = new LuaTable();
  table.setIndex(1, table);
  const end = '<max recursion level reached! Nested table?>';
  expect(valueText(table, String, 1000)).toBe(`${'{'.repeat(10)}${end}${'}'.repeat(10)}`);
});

test.each([
  ['+OK\r\n', '"+OK"'],
  ['-ERR no\r\n', '"-ERR no"'],
  [':-5\r\n', '-5'],
  ['$3\r\na\r\n\r\n', '"a\\r\\n"'],
  ['$-1\r\n', 'NULL'],
  ['*-1\r\n', 'NULL'],
  ['*0\r\n', '[]'],
  ['*2\r\n*1\r\n:1\r\n$0\r\n\r\n', '[[1],""]'],
  ['%1\r\n$1\r\nf\r\n%0\r\n', '{"f" => {}}'],
  ['~2\r\n:1\r\n:2\r\n', '~(1,2)'],
  ['_\r\n', '(null)'],
  ['#t\r\n', '#true'],
  ['#f\r\n', '#false'],
  [',1.5\r\n', '(double) 1.5'],
  ['*2\r\n=7\r\ntxt:abc\r\n:1\r\n', '[,1]'],
])('the reply %j', (bytes, text) => {
  expect(replyText(bytes, 1000)).toBe(text);
});
