import { expect, test } from 'vitest';
import { tableLines } from './index.ts';

test('a table has aligned columns and no blanks at the end of a line', () => {
  const rows = [
    ['master', '1', ''],
    ['replica', '1234', 'x'],
  ];
  expect(tableLines(['ROLE', 'PID', 'NOTE'], rows, [1])).toEqual([
    'ROLE      PID  NOTE',
    'master      1',
    'replica  1234  x',
  ]);
});
