/** Which executables the tests start, and what happens where the real ones are not installed. */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { describe, test } from 'vitest';

const ROOT = projectRoot(import.meta.dirname);

/** Our server; `SLOTLINE_SERVER_EXE` puts another in its place, the real one for a look at the tests themselves. */
export const OUR_SERVER: string = resolve(
  process.env['SLOTLINE_SERVER_EXE'] ?? join(ROOT, 'dist', 'bin', 'slotline-server.js'),
);

/** Our Sentinel. */
export const OUR_SENTINEL: string = join(ROOT, 'dist', 'bin', 'slotline-sentinel.js');

/** The program with the subcommands. */
export const SLOTLINE: string = join(ROOT, 'dist', 'bin', 'slotline.js');

export const REAL_SERVER: string | undefined = findProgram('redis-server');
export const REAL_SENTINEL: string | undefined = findProgram('redis-sentinel');
export const REDIS_CHECK_AOF: string | undefined = findProgram('redis-check-aof');
export const REDIS_CHECK_RDB: string | undefined = findProgram('redis-check-rdb');
export const REDIS_CLI: string | undefined = findProgram('redis-cli');
export const CHROMIUM: string | undefined = findProgram('chromium');
/** Changes the limits of a running process; of Linux. */
export const PRLIMIT: string | undefined = findProgram('prlimit');
/** Gives a program a terminal. */
export const SCRIPT_PROGRAM: string | undefined = findProgram('script');
export const REDIS_BENCHMARK: string | undefined = findProgram('redis-benchmark');

const hasRealRedis = [REAL_SERVER, REAL_SENTINEL, REDIS_CLI, REDIS_BENCHMARK].every(
  (each) => each !== undefined,
);

/** Tests that need the real Redis beside ours: skipped where it is not installed, except in CI, which demands it. */
export function describeWithRealRedis(name: string, body: () => void): void {
  describeWith({ isThere: hasRealRedis, what: 'redis-server' }, name, body);
}

/** Tests that need a browser, likewise. */
export function describeWithBrowser(name: string, body: () => void): void {
  describeWith({ isThere: CHROMIUM !== undefined, what: 'chromium' }, name, body);
}

/**
 * Tests beside a server of another version, given as its path in the folder that `SLOTLINE_PEERS` names: they are skipped
 * where that is not set, since no system has packages of all of them.
 */
export function describeWithPeer(path: string, body: (exe: string) => void): void {
  const folder = process.env['SLOTLINE_PEERS'];
  if (folder === undefined) test.skip(`${path}: skipped, SLOTLINE_PEERS names no folder`);
  else describe(`beside ${path}`, () => body(join(folder, path)));
}

function describeWith(
  { isThere, what }: { readonly isThere: boolean; readonly what: string },
  name: string,
  body: () => void,
): void {
  const isRequired = process.env['CI'] !== undefined && process.env['CI'] !== 'false';
  if (isThere || isRequired) describe(name, body);
  else test.skip(`${name}: skipped, no ${what} installed`);
}

/** The path, or an error that says which package is missing. */
export function required(program: string | undefined, name: string): string {
  if (program === undefined) throw new Error(`Cannot find "${name}" in PATH: not installed`);
  return program;
}

/** The nearest folder upwards with a package.json: these files also run bundled, from elsewhere in the project. */
function projectRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new Error(`Cannot find package.json above "${from}"`);
  }
}

function findProgram(name: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (existsSync(path) && isExecutable(path)) return path;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
