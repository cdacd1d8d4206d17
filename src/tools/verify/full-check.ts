/** RedisFullCheck's options, as its 1.4.10 has them, and what they mean here. */
import { type NodeAddress, parseSeeds } from '../../client/index.ts';
import { ToolError } from '../errors.ts';
import type { DatabasePair } from '../flow/index.ts';
import type { ResultFile } from './result-files.ts';
import type { VerifyOptions } from './verify.ts';

/** As they were written; undefined where they were not. */
export interface FullCheckFlags {
  readonly source: string;
  readonly target: string;
  readonly sourcepassword?: string | undefined;
  readonly targetpassword?: string | undefined;
  readonly sourcedbtype: number;
  readonly targetdbtype: number;
  readonly sourcedbfilterlist: string;
  readonly targetdbfilterlist: string;
  /** SQLite file; the number of the last round is put behind its name. */
  readonly db?: string | undefined;
  readonly result?: string | undefined;
  readonly comparetimes: number;
  readonly comparemode?: number | undefined;
  /** Seconds. */
  readonly interval: number;
  /** Batches a second of each of `parallel` workers. */
  readonly qps?: number | undefined;
  readonly batchcount: number;
  readonly parallel: number;
  readonly filterlist: string;
  /** Options that were given and have no meaning here, as they were written. */
  readonly meaningless: readonly string[];
}

export interface FullCheckWish {
  readonly options: Omit<VerifyOptions, 'signal'>;
  /** What is carried out otherwise than was asked for, for people. */
  readonly remarks: readonly string[];
}

const TIMEOUT_MS = 60_000;
const TOLERANCE_MS = 1000;
const DEFAULT_DATABASE = 'result.db';

/** In front of an address: which of a master and its replicas is meant. */
const ROLE = /^[a-z]*@/;

/** From here on a type names a proxy, which answers for no node. */
const FIRST_PROXY_TYPE = 2;
const LENGTHS_ONLY = 2;
const KEYS_ONLY = 3;
const LENGTHS_OF_BIG = 4;

/** `hasSqlite`: whether a database can be written. Throws ToolError `USAGE`, and ClientError for an address. */
export function fullCheckWish(flags: FullCheckFlags, hasSqlite: boolean): FullCheckWish {
  for (const type of [flags.sourcedbtype, flags.targetdbtype]) {
    if (type < FIRST_PROXY_TYPE) continue;
    throw new ToolError(
      'USAGE',
      `Cannot compare through a proxy (database type ${type}): name the nodes behind it`,
    );
  }
  const end = (text: string, password: string | undefined) => ({
    seeds: seedsOf(text, password),
    masterName: undefined,
    timeoutMs: TIMEOUT_MS,
  });
  const files: ResultFile[] = [];
  if (hasSqlite || flags.db !== undefined) {
    const path = `${flags.db ?? DEFAULT_DATABASE}.${flags.comparetimes}`;
    files.push({ path, format: 'sqlite' });
  }
  if (flags.result !== undefined) files.push({ path: flags.result, format: 'tabs' });
  const options = {
    source: end(flags.source, flags.sourcepassword),
    target: end(flags.target, flags.targetpassword),
    databases: databasesOf(flags),
    filters: filtersOf(flags.filterlist),
    sample: 1,
    rate: flags.qps === undefined ? 0 : flags.qps * flags.batchcount * flags.parallel,
    rounds: flags.comparetimes,
    intervalMs: flags.interval * 1000,
    toleranceMs: TOLERANCE_MS,
    depth: flags.comparemode === KEYS_ONLY ? ('types' as const) : ('values' as const),
    repair: undefined,
    files,
    hasFullCheckEnd: true,
  };
  return { options, remarks: remarksOn(flags, hasSqlite) };
}

function remarksOn(flags: FullCheckFlags, hasSqlite: boolean): string[] {
  const { comparemode = LENGTHS_ONLY, meaningless } = flags;
  const remarks: string[] = [];
  if (comparemode === LENGTHS_ONLY || comparemode === LENGTHS_OF_BIG) {
    remarks.push(`comparemode ${comparemode} compares lengths; here whole values and expiry are`);
  }
  if ([flags.source, flags.target].some((text) => /(?:^|;)\s*[a-z]+@/.test(text))) {
    remarks.push('master@ and slave@ are left out: the masters are read');
  }
  if (!hasSqlite && flags.db === undefined) {
    remarks.push(`Node ${process.version} has no SQLite: no ${DEFAULT_DATABASE} is written`);
  }
  if (meaningless.length > 0) {
    remarks.push(`ignored, they mean nothing here: ${meaningless.join(', ')}`);
  }
  return remarks;
}

/** Addresses separated by semicolons; the password is `password` or `user:password`. */
function seedsOf(text: string, password: string | undefined): readonly NodeAddress[] {
  const addresses = text.split(';').map((part) => part.trim().replace(ROLE, ''));
  const seeds = parseSeeds(addresses);
  if (password === undefined || password === '') return seeds;
  const colon = password.indexOf(':');
  const login =
    colon < 0
      ? { password }
      : { username: password.slice(0, colon), password: password.slice(colon + 1) };
  return seeds.map((seed) => ({ ...seed, ...login }));
}

/** Databases that both lists allow; all, for -1 in both. A database has the same number on both sides. */
function databasesOf(flags: FullCheckFlags): readonly DatabasePair[] | undefined {
  const source = numbersOf(flags.sourcedbfilterlist);
  const target = numbersOf(flags.targetdbfilterlist);
  const chosen = source?.filter((db) => target?.includes(db) ?? true) ?? target;
  return chosen?.map((db) => ({ source: db, target: db }));
}

function numbersOf(list: string): readonly number[] | undefined {
  if (list === '-1') return undefined;
  const parts = list.split(';').map((part) => part.trim());
  if (parts.every((part) => /^\d{1,9}$/.test(part))) return parts.map(Number);
  throw new ToolError('USAGE', `Cannot read databases "${list}": write them as in 0;5;15`);
}

/** Names separated by bars; a star at the end stands for anything, and nothing else is special. */
function filtersOf(list: string): readonly string[] {
  return list
    .split('|')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const isPrefix = part.endsWith('*');
      const name = isPrefix ? part.slice(0, -1) : part;
      return `${name.replaceAll(/[\\*?[\]^]/g, String.raw`\$&`)}${isPrefix ? '*' : ''}`;
    });
}
