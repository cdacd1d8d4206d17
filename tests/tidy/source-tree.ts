/**
 * The project's own files as the tidy tests see them: their text, their imports, and the level of their folder.
 * A scanner of our own instead of a compiler: imports are written one way here, and prettier keeps them so.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Levels of the folders of src/; a folder imports only from lower ones. Source: docs/ARCHITECTURE.md. */
export const LEVELS: Readonly<Record<string, number>> = {
  base: 0,
  acl: 1,
  resp: 1,
  rdb: 1,
  aof: 1,
  bus: 1,
  config: 1,
  lua: 1,
  keyspace: 2,
  replication: 2,
  cluster: 2,
  sentinel: 2,
  commands: 3,
  node: 4,
  io: 5,
  client: 6,
  library: 7,
  tools: 7,
  dashboard: 8,
  bin: 9,
};

/** The first level that may use Node, promises and clocks. */
export const SHELL_LEVEL = 5;

export interface SourceFile {
  /** Relative to the project, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Folder of src/ that it lives in, or the top folder (`sim`, `tests`, …); '' for src/ itself. */
  readonly folder: string;
  readonly imports: readonly Import[];
}

export interface Import {
  readonly specifier: string;
  /** Path of the imported project file; undefined for packages and node: modules. */
  readonly target: string | undefined;
  readonly line: number;
}

const NOT_OURS = new Set(['node_modules', 'dist', 'slotline-data', '.git', '.cache', 'coverage']);

/** Every file of the tree that belongs to the project, as paths relative to it. */
export function projectFiles(folder: string = ROOT): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (NOT_OURS.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...projectFiles(path));
    else if (entry.isFile()) found.push(relative(ROOT, path).replaceAll('\\', '/'));
  }
  return found.sort();
}

/** The TypeScript files and Svelte components below the given top folders. */
export function sourceFiles(...tops: readonly string[]): SourceFile[] {
  return projectFiles()
    .filter(
      (path) => /\.(?:ts|svelte)$/.test(path) && tops.some((top) => path.startsWith(`${top}/`)),
    )
    .map((path) => readSource(path));
}

/** Tests, and files beside them whose name begins with `test-`: what several tests share. */
export function isTest(path: string): boolean {
  return /\.test\.ts$|\/test-[^/]*\.ts$/.test(path) || path.startsWith('tests/');
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return { path, text, folder: folderOf(path), imports: importsOf(path, text) };
}

/** `src/bus/header.ts` is in `bus`, `sim/world.ts` in `sim`, `src/index.ts` in ''. */
export function folderOf(path: string): string {
  const parts = path.split('/');
  if (parts[0] !== 'src') return parts[0] ?? '';
  return parts.length > 2 ? (parts[1] ?? '') : '';
}

const FROM_CLAUSE = /^(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?'([^']+)'/gm;
const DYNAMIC_IMPORT = /\bimport\(\s*'([^']+)'\s*\)/g;

function importsOf(path: string, whole: string): Import[] {
  const imports: Import[] = [];
  // The script of a component is indented.
  const text = path.endsWith('.svelte') ? whole.replace(/^ {2}/gm, '') : whole;
  for (const pattern of [FROM_CLAUSE, DYNAMIC_IMPORT]) {
    for (const match of text.matchAll(pattern)) {
      const specifier = match[1] ?? '';
      const line = text.slice(0, match.index).split('\n').length;
      const target = specifier.startsWith('.')
        ? join(dirname(path), specifier).replaceAll('\\', '/')
        : undefined;
      imports.push({ specifier, target, line });
    }
  }
  return imports;
}

/** The text with comments and the inside of strings blanked, line by line the same length. */
export function codeOnly(text: string): string {
  return text.replace(TRIVIA, (match) => match.replace(/[^\n]/g, ' '));
}

// Regular expression literals are left in: nothing that is searched for hides in one.
const TRIVIA =
  /\/\*[\s\S]*?\*\/|(?<![:\\])\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
