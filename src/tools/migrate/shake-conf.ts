/** `redis-shake.conf` of RedisShake 2: `name = value` in each line, and what to do by `-type`. */
import type { DatabasePair } from '../flow/index.ts';
import { globLiteral } from './key-filter.ts';
import { type ShakeEnd, type ShakeWishes, badOption, nodesOf } from './shake-wishes.ts';
import { WishTable } from './wish-table.ts';

const TYPES = ['sync', 'rump', 'restore', 'dump', 'decode'] as const;
const CONFLICTS = { rewrite: 'replace', none: 'fail', ignore: 'skip' } as const;
const SCRIPTS = ['eval', 'evalsha', 'script'];
/** Databases of a server that was not told how many to have. */
const DATABASES = 16;

type Type = (typeof TYPES)[number];

/** Throws ToolError and ClientError. */
export function readShakeConf(text: string, path: string, wanted: string | undefined): ShakeWishes {
  const table = new WishTable(path, lines(text, path));
  const type = TYPES.find((each) => each === (wanted ?? 'sync'));
  if (type === undefined) throw badOption(path, '-type', `is none of ${TYPES.join(', ')}`);
  return {
    source: type === 'restore' || type === 'decode' ? files(table) : side(table, 'source'),
    target: type === 'dump' || type === 'decode' ? output(table, type) : side(table, 'target'),
    sourceMode: type === 'rump' ? 'scan' : 'psync',
    conflict: conflictOf(table),
    removesExtra: false,
    stopsWhenSynced: type !== 'sync',
    filter: filterOf(table),
    ...databasesOf(table),
    dir: undefined,
    untilUnixSeconds: undefined,
    forksMax: table.number('source.rdb.parallel', 0) || undefined,
    ignored: table.unused(),
  };
}

function lines(text: string, path: string): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const match = /^\s*([\w.]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (match === null) throw badOption(path, `line ${index + 1}`, 'is not "name = value"');
    values.set(match[1] ?? '', match[2]);
  }
  return values;
}

function side(table: WishTable, name: 'source' | 'target'): ShakeEnd {
  const type = table.text(`${name}.type`) || 'standalone';
  if (type === 'proxy') {
    throw table.bad(`${name}.type`, 'is proxy: name the nodes behind it');
  }
  if (!['standalone', 'sentinel', 'cluster'].includes(type)) {
    throw table.bad(`${name}.type`, 'is none of standalone, sentinel and cluster');
  }
  table.use(`${name}.auth_type`);
  const login = {
    username: '',
    password: table.text(`${name}.password_raw`),
    tls: table.flag(`${name}.tls_enable`, false),
  };
  const address = table.required(`${name}.address`);
  // `name:role@` before Sentinels and `role@` before the nodes of a cluster say which node to read; the masters are.
  const match = /^(?:([^@;]*)@)?(.*)$/.exec(address);
  const addresses = (match?.[2] ?? '').split(';').flatMap((each) => each.trim() || []);
  const masterName = match?.[1]?.split(':')[0]?.trim() ?? '';
  const seeds = nodesOf(addresses, login);
  if (type !== 'sentinel') return { kind: 'nodes', nodes: { seeds } };
  if (masterName === '') throw table.bad(`${name}.address`, 'lacks the name of the master');
  return { kind: 'nodes', nodes: { seeds, masterName } };
}

function files(table: WishTable): ShakeEnd {
  const paths = [...table.texts('source.rdb.input'), ...table.texts('input_rdb')];
  if (paths.length === 0) throw table.bad('source.rdb.input', 'is missing');
  return { kind: 'files', paths };
}

function output(table: WishTable, type: Type): ShakeEnd {
  const path = table.text('target.rdb.output') || table.text('output_rdb');
  if (path === '') throw table.bad('target.rdb.output', 'is missing');
  const ending = type === 'dump' ? '.rdb' : '.jsonl';
  return { kind: 'files', paths: [path.endsWith(ending) ? path : `${path}${ending}`] };
}

function conflictOf(table: WishTable): ShakeWishes['conflict'] {
  // The older name was a flag.
  const rewrites = table.flag('rewrite', false);
  return table.choice('key_exists', CONFLICTS, rewrites ? 'rewrite' : 'none');
}

function filterOf(table: WishTable): ShakeWishes['filter'] {
  const prefixes = (...names: readonly string[]): string[] =>
    names.flatMap((name) => table.texts(name).map((text) => `${globLiteral(text)}*`));
  const slots = table.texts('filter.slot');
  return {
    only: prefixes('filter.key.whitelist', 'filter.key'),
    without: prefixes('filter.key.blacklist'),
    slots: slots.length === 0 ? undefined : slots.join(','),
    onlyCommands: table.texts('filter.command.whitelist'),
    withoutCommands: [
      ...table.texts('filter.command.blacklist'),
      ...(table.flag('filter.lua', false) ? SCRIPTS : []),
    ],
  };
}

function databasesOf(table: WishTable): Pick<ShakeWishes, 'databases' | 'withoutDatabases'> {
  const wanted = [...table.numbers('filter.db.whitelist'), ...table.numbers('filter.db')];
  const withoutDatabases = table.numbers('filter.db.blacklist');
  const pairs = new Map<number, number>(wanted.map((db) => [db, db]));
  const target = table.number('target.db', -1);
  if (target >= 0) {
    const isCluster = table.text('source.type') === 'cluster';
    const all = isCluster ? [0] : Array.from({ length: DATABASES }, (_, db) => db);
    for (const db of wanted.length > 0 ? wanted : all) pairs.set(db, target);
  }
  for (const text of table.texts('target.dbmap')) {
    const match = /^(\d{1,9})-(\d{1,9})$/.exec(text);
    if (match === null) throw table.bad('target.dbmap', 'is not written as in 0-5;1-3');
    pairs.set(Number(match[1]), Number(match[2]));
  }
  const databases: DatabasePair[] = [...pairs].map(([from, to]) => ({ source: from, target: to }));
  return { databases: databases.length === 0 ? undefined : databases, withoutDatabases };
}
