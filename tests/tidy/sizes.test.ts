/** Goal: files and functions of a size one can read at once. The linter counts functions; here are the files. */
import { expect, test } from 'vitest';
import { sourceFiles } from './source-tree.ts';

const FILE_LINES_MAX = 600;

/** Pure data may be long. Each with its reason. */
const DATA_TABLES: Readonly<Record<string, string>> = {};

test('a file has at most 600 lines', () => {
  const long = sourceFiles('src', 'sim', 'tests')
    .filter((file) => DATA_TABLES[file.path] === undefined)
    .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > FILE_LINES_MAX);
  expect(long).toEqual([]);
});

test('every exemption names a file that is still too long', () => {
  const lines = new Map(
    sourceFiles('src', 'sim', 'tests').map((file) => [file.path, file.text.split('\n').length]),
  );
  const stale = Object.keys(DATA_TABLES).filter((path) => (lines.get(path) ?? 0) <= FILE_LINES_MAX);
  expect(stale).toEqual([]);
});
