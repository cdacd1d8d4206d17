/** Goal: the first line of a library is taken and refused as redis-server 7.0.15 does. Method: lines and what it said. */
import { expect, test } from 'vitest';
import { libraryMetadata } from './library-metadata.ts';

const NAMES_RULE =
  'Library names can only contain letters, numbers, or underscores(_) and must be at least one character long';

test.each([
  ['return 1', 'Missing library metadata'],
  ['', 'Missing library metadata'],
  [' #!lua name=t\n', 'Missing library metadata'],
  ['#!', 'Invalid library metadata'],
  ['#!lua name=t', 'Invalid library metadata'],
  ['#!lua name=t "\n', 'Invalid library metadata'],
  ['#!lua name=t\0x\n', 'Invalid library metadata'],
  ['#!\nx', 'Library name was not given'],
  ['#!lua\nx', 'Library name was not given'],
  ['#!lua name\n', 'Invalid metadata value given: name'],
  ['#!lua name=t b=c\n', 'Invalid metadata value given: b=c'],
  ['#! lua name=t\n', 'Invalid metadata value given: lua'],
  ['#!lua name=a name=b\n', 'Invalid metadata value, name argument was given multiple times'],
  ['#!lua name=\n', NAMES_RULE],
  ['#!lua name=a-b\n', NAMES_RULE],
  ['#!js name=a\n', "Engine 'js' not found"],
])('%j is refused', (code, flaw) => {
  expect(libraryMetadata(code)).toEqual({ flaw });
});

test.each([
  '#!lua name=ab\n',
  '#!LUA NAME=ab\n',
  "#!lua name='ab'\n",
  '#!"lua" \t name="ab" \r\n',
  '#!lua\tname=ab\n',
])('%j gives the name', (line) => {
  expect(libraryMetadata(`${line}x = 1`)).toEqual({ name: 'ab', body: '\nx = 1' });
});
