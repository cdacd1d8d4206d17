/** What a Sentinel asks of its machine: programs of the user, and the addresses of names. */
import { type ChildProcess, spawn } from 'node:child_process';
import { lookup } from 'node:dns';
import { accessSync, constants, statSync } from 'node:fs';
import type { Declaration } from '../config/index.ts';
import { isIpText } from '../config/index.ts';
import type { SentinelWorld } from '../node/index.ts';

export const sentinelWorld: SentinelWorld = {
  isExecutable,
  run: (path, args, ended) => {
    let hasEnded = false;
    const end = (exitCode: number | undefined): void => {
      if (!hasEnded) ended(exitCode);
      hasEnded = true;
    };
    const child = begin(path, args);
    if (child === undefined) {
      setImmediate(() => end(undefined));
      return { kill: () => undefined };
    }
    child.on('error', () => end(undefined));
    child.on('close', (code) => end(code ?? undefined));
    return { kill: () => void child.kill('SIGKILL') };
  },
  resolve: (host, done) =>
    lookup(host, { family: 0, verbatim: false }, (error, address) =>
      done(error === null ? address : undefined),
    ),
};

/**
 * Starts a program; undefined when the system will not have it: some failures (words that are too long, a program that
 * is being written) Node.js throws, others the child tells. Words end at a zero byte, as programs get them.
 */
function begin(path: string, args: readonly string[]): ChildProcess | undefined {
  const words = args.map((word) => word.replace(/\0.*$/s, ''));
  try {
    return spawn(path, words, { stdio: 'ignore' });
  } catch {
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    if (!statSync(path).isFile()) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function addressOf(host: string): Promise<string | undefined> {
  return new Promise((done) => sentinelWorld.resolve(host, done));
}

/** Lines that name a host, with its place among their words. */
const HOST_PLACES: Readonly<Record<string, number>> = {
  monitor: 2,
  'known-replica': 2,
  'known-slave': 2,
  'known-sentinel': 2,
};

/** The addresses of all hosts that `sentinel` lines name, as far as they have one. */
export async function resolveHosts(
  lines: readonly Declaration[],
): Promise<ReadonlyMap<string, string>> {
  const resolved = new Map<string, string>();
  for (const { args } of lines) {
    const host = args[HOST_PLACES[(args[0] ?? '').toLowerCase()] ?? args.length];
    if (host === undefined || isIpText(host) || resolved.has(host)) continue;
    const ip = await addressOf(host);
    if (ip !== undefined) resolved.set(host, ip);
  }
  return resolved;
}
