/**
 * Goal: a face says what its folder is for, re-exports by name, and what it exports is documented; no file is dead.
 * Method: the text of every index.ts and of the files that it names; the import graph from the entry points.
 */
import { expect, test } from 'vitest';
import { LEVELS, type SourceFile, isTest, sourceFiles } from './source-tree.ts';

const source = sourceFiles('src').filter((file) => !isTest(file.path));
const byPath = new Map(source.map((file) => [file.path, file]));
const faces = source.filter((file) => /^src\/[a-z-]+\/index\.ts$/.test(file.path));

test('every folder has a face', () => {
  const folders = new Set(source.map((file) => file.folder));
  const faceless = [...folders].filter(
    (folder) =>
      folder !== '' &&
      folder !== 'bin' &&
      LEVELS[folder] !== undefined &&
      !byPath.has(`src/${folder}/index.ts`),
  );
  expect(faceless).toEqual([]);
});

test('a face begins with a paragraph and re-exports by name', () => {
  const wrong = faces.filter(
    ({ text }) =>
      !text.startsWith('/**') ||
      /^export \*/m.test(text) ||
      /^(?:export )?(?:async )?(?:function|class|const|let)\b/m.test(text),
  );
  expect(wrong.map((file) => file.path)).toEqual([]);
});

test('every module begins with a paragraph or explains its first declaration', () => {
  const silent = source.filter(({ text }) => {
    const head = text.replace(/^#!.*\n/, '').replace(/^(?:import[^;]*;\s*)+/, '');
    return !/^\s*(?:\/[*/]|<!--)/.test(head);
  });
  expect(silent.map((file) => file.path)).toEqual([]);
});

test('functions and classes of a face have a docstring', () => {
  const bare: string[] = [];
  for (const face of faces) {
    for (const { name, from } of reExports(face)) {
      const file = byPath.get(from);
      const declaration = file === undefined ? undefined : declarationOf(file, name);
      if (declaration !== undefined && !declaration.hasComment) bare.push(`${from}: ${name}`);
    }
  }
  expect(bare).toEqual([]);
});

test('no file of src is dead', () => {
  const entries = source.filter(
    (file) =>
      file.folder === 'bin' ||
      file.folder === '' ||
      faces.includes(file) ||
      file.path === 'src/dashboard/page/main.ts',
  );
  const reached = new Set<string>();
  const queue = entries.map((file) => file.path);
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const { target } of byPath.get(path)?.imports ?? []) {
      if (target !== undefined) queue.push(target);
    }
  }
  const dead = source.map((file) => file.path).filter((path) => !reached.has(path));
  expect(dead).toEqual([]);
});

interface ReExport {
  readonly name: string;
  readonly from: string;
}

function reExports(face: SourceFile): ReExport[] {
  const found: ReExport[] = [];
  const folder = face.path.replace(/index\.ts$/, '');
  for (const match of face.text.matchAll(/export (?:type )?\{([^}]*)\} from '\.\/([^']+)'/g)) {
    for (const item of (match[1] ?? '').split(',')) {
      const name = item
        .trim()
        .replace(/^type /, '')
        .split(' as ')[0];
      if (name) found.push({ name, from: folder + (match[2] ?? '') });
    }
  }
  return found;
}

/**
 * Functions and classes speak for themselves only in part: they owe a docstring, unless they are one-line conversions or
 * the one class or function that the module's paragraph is about. Constants and types are left to the reader.
 */
function declarationOf(file: SourceFile, name: string): { hasComment: boolean } | undefined {
  const lines = file.text.split('\n');
  const pattern = new RegExp(
    `^export (?:async )?(?:abstract )?(?:function\\*?|class) ${name.replace('$', '\\$')}\\b`,
  );
  const index = lines.findIndex((line) => pattern.test(line));
  if (index < 0) return undefined;
  const above = lines[index - 1] ?? '';
  const isShort = lines[index + 2] === '}';
  const word = / class /.test(lines[index] ?? '') ? 'class' : 'function';
  const same = lines.filter((line) => new RegExp(`^export [a-z ]*\\b${word}\\b`).test(line));
  const isModuleSubject = same.length === 1 && lines[0]?.startsWith('/**') === true;
  return { hasComment: /\*\/\s*$|^\s*\/\//.test(above) || isShort || isModuleSubject };
}
