/** Goal: the words of the field, and nothing of a machine in the tree. Method: search of names, paths and text. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, codeOnly, projectFiles, sourceFiles } from './source-tree.ts';

const BANNED_NAME = /\b\w*(?:slave|primary|primaries)\w*\b/gi;

/**
 * Names that are the wire's or the configuration's own spelling, with the reason. A record key such as `slave: …` is
 * such a spelling too, but only in the folders that hold wire words.
 */
const WIRE_NAME_FOLDERS = new Set(['bus', 'config', 'resp', 'sentinel', 'commands']);

/** Files that speak of the fields of INFO and SENTINEL and of redis_exporter's figures, which are spelled so. */
const WIRE_NAME_FILES = new Set([
  'src/tools/metrics/figures.ts',
  'src/tools/metrics/node-figures.ts',
  'src/tools/sentinel/failover.ts',
]);

const DRAWER = /^(?:utils?|helpers?|common|misc)(?:\.|$)/;

/** Built from parts, so that this file does not name what it forbids. */
const MACHINE_PATHS = ['work', 'root', 'home'].map(
  (folder) => new RegExp(`(?<![\\w.~*}-])/${folder}/[\\w.-]+`),
);
const TEXT_FILE = /\.(?:ts|mjs|js|json|md|txt|conf|sh|yml|yaml|html|css)$|^\.ci\/run$/;

test('nothing of ours is named slave or primary', () => {
  const found: string[] = [];
  for (const file of sourceFiles('src', 'sim')) {
    if (WIRE_NAME_FOLDERS.has(file.folder) || WIRE_NAME_FILES.has(file.path)) continue;
    for (const [index, line] of codeOnly(file.text).split('\n').entries()) {
      for (const [name] of line.matchAll(BANNED_NAME)) {
        found.push(`${file.path}:${index + 1} ${name}`);
      }
    }
  }
  expect(found).toEqual([]);
});

test('no file or folder is a drawer for everything', () => {
  const drawers = projectFiles().filter((path) =>
    path.split('/').some((part) => DRAWER.test(part)),
  );
  expect(drawers).toEqual([]);
});

test('files and folders of the source are kebab-case', () => {
  const odd = projectFiles().filter(
    (path) => /^(?:src|sim|tests|scripts)\//.test(path) && !/^[a-z0-9./-]+$/.test(path),
  );
  expect(odd).toEqual([]);
});

test('unfinished work names its issue', () => {
  const found: string[] = [];
  // The word is built from parts, so that this file does not find itself.
  const word = new RegExp(`\\b(?:TO${'DO'}|FIX${'ME'}|XX${'X'})\\b(?!\\(#\\d+\\)| #\\d+)`);
  for (const path of projectFiles().filter((each) => /\.(?:ts|mjs)$/.test(each))) {
    for (const [index, line] of readFileSync(join(ROOT, path), 'utf8').split('\n').entries()) {
      if (word.test(line)) found.push(`${path}:${index + 1}`);
    }
  }
  expect(found).toEqual([]);
});

test('no path of a machine stands in the tree', () => {
  const found: string[] = [];
  for (const path of projectFiles().filter((each) => TEXT_FILE.test(each))) {
    for (const [index, line] of readFileSync(join(ROOT, path), 'utf8').split('\n').entries()) {
      for (const pattern of MACHINE_PATHS) {
        const hit = pattern.exec(line);
        if (hit !== null) found.push(`${path}:${index + 1} ${hit[0]}`);
      }
    }
  }
  expect(found).toEqual([]);
});

test('a silenced rule says why, and no test runs alone', () => {
  const silence = /(?:oxlint|eslint)-disable(?!.* -- \w)|@ts-(?:ignore|nocheck)/;
  const alone = /\b(?:test|describe|it)\.only\(/;
  const found: string[] = [];
  for (const file of sourceFiles('src', 'sim', 'tests')) {
    if (file.path === 'tests/tidy/words.test.ts') continue;
    for (const [index, line] of file.text.split('\n').entries()) {
      if (silence.test(line) || alone.test(line)) found.push(`${file.path}:${index + 1}`);
    }
  }
  expect(found).toEqual([]);
});
