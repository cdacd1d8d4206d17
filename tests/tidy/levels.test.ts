/**
 * Goal: the levels and faces hold. Method: the imports of every file, type imports included, against the table of
 * levels. The linter holds the rest of the level rules (no node:, no clocks, no promises below level 5).
 */
import { expect, test } from 'vitest';
import {
  type Import,
  LEVELS,
  SHELL_LEVEL,
  type SourceFile,
  folderOf,
  isTest,
  sourceFiles,
} from './source-tree.ts';

const src = sourceFiles('src');
const source = src.filter((file) => !isTest(file.path));

/** One line for each import that `isWrong` answers with a reason. */
function complaints(
  files: readonly SourceFile[],
  isWrong: (file: SourceFile, target: string) => string | undefined,
): string[] {
  const found: string[] = [];
  for (const file of files) {
    for (const { target, line } of file.imports) {
      const reason = target === undefined ? undefined : isWrong(file, target);
      if (reason !== undefined) found.push(`${file.path}:${line} imports ${target}: ${reason}`);
    }
  }
  return found;
}

test('every folder of src has a level', () => {
  const folders = new Set(src.map((file) => file.folder).filter((folder) => folder !== ''));
  expect([...folders].filter((folder) => LEVELS[folder] === undefined)).toEqual([]);
});

test('a folder imports only from lower levels', () => {
  const wrong = complaints(source, (file, target) => {
    const from = LEVELS[file.folder];
    const to = LEVELS[folderOf(target)];
    // Files of src/ itself are the library's faces: they may re-export anything below the programs.
    if (from === undefined || file.folder === folderOf(target)) return undefined;
    if (to === undefined) return 'not in src';
    return to < from ? undefined : `level ${from} imports level ${to}`;
  });
  expect(wrong).toEqual([]);
});

test('others are imported only through their index.ts', () => {
  const wrong = complaints(src, (file, target) => {
    const folder = folderOf(target);
    if (!target.startsWith('src/') || folder === file.folder || folder === '') return undefined;
    return isFace(target) || isLazyProgramPart(file, target) ? undefined : 'not a face';
  });
  expect(wrong).toEqual([]);
});

test('sim imports only levels 0 to 4, through their faces', () => {
  const wrong = complaints(
    sourceFiles('sim').filter((file) => !isTest(file.path)),
    (_file, target) => {
      if (target.startsWith('sim/')) return undefined;
      const level = LEVELS[folderOf(target)];
      if (level === undefined || level >= SHELL_LEVEL) return 'not of levels 0 to 4';
      return isFace(target) ? undefined : 'not a face';
    },
  );
  expect(wrong).toEqual([]);
});

test('src imports nothing of tests, sim or scripts', () => {
  const wrong = complaints(source, (_file, target) =>
    target.startsWith('src/') || target === 'package.json' ? undefined : 'outside of src',
  );
  expect(wrong).toEqual([]);
});

test('no package is imported below the tools, nor by the library', () => {
  const wrong: string[] = [];
  for (const file of source) {
    const level = LEVELS[file.folder];
    if (level === undefined || (level > 6 && file.folder !== 'library')) continue;
    for (const { specifier, line } of file.imports.filter((each) => isPackage(each))) {
      wrong.push(`${file.path}:${line} imports the package ${specifier}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('there is no import cycle', () => {
  const byPath = new Map(src.map((file) => [file.path, file]));
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
      return;
    }
    state.set(path, 'open');
    for (const { target } of byPath.get(path)?.imports ?? []) {
      if (target !== undefined && byPath.has(target)) visit(target, [...trail, path]);
    }
    state.set(path, 'done');
  };
  for (const { path } of src) visit(path, []);
  expect(cycles).toEqual([]);
});

function isFace(path: string): boolean {
  return path.split('/').length === 3 && path.endsWith('/index.ts');
}

/** Programs and the dashboard load heavy parts on demand, each by its own face below a tools folder. */
function isLazyProgramPart(file: SourceFile, target: string): boolean {
  const isAbove = file.folder === 'bin' || file.folder === 'dashboard';
  return isAbove && /^src\/tools\/[a-z-]+\/index\.ts$/.test(target);
}

function isPackage({ specifier }: Import): boolean {
  return !specifier.startsWith('.') && !specifier.startsWith('node:');
}
