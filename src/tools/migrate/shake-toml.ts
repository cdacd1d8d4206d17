/** `shake.toml` of RedisShake 4: a reader's section, a writer's, `filter` and `advanced`. */
import { parse } from 'smol-toml';
import { ToolError } from '../errors.ts';
import { type FilterRules, globLiteral } from './key-filter.ts';
import { type ShakeEnd, type ShakeWishes, badOption, nodesOf } from './shake-wishes.ts';
import { WishTable } from './wish-table.ts';

const READERS = ['sync_reader', 'scan_reader', 'rdb_reader', 'aof_reader'] as const;
const WRITERS = ['redis_writer', 'file_writer'] as const;
const CONFLICTS = { panic: 'fail', rewrite: 'replace', skip: 'skip' } as const;
const ENDINGS: Readonly<Record<string, string>> = { cmd: '.aof', aof: '.aof', json: '.jsonl' };

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws ToolError and ClientError. */
export function readShakeToml(text: string, path: string, env: Environment): ShakeWishes {
  const table = new WishTable(path, flatten(parsed(text, path, env)));
  const reader = READERS.find((name) => table.hasSection(name));
  const writer = WRITERS.find((name) => table.hasSection(name));
  if (reader === undefined) throw badOption(path, READERS.join(', '), 'are all missing');
  if (writer === undefined) throw badOption(path, WRITERS.join(', '), 'are all missing');
  if (table.text('filter.function') !== '') {
    throw badOption(path, 'filter.function', 'is a Lua program, which is not run here');
  }
  const removesExtra = table.flag('advanced.empty_db_before_sync', false);
  const source = sourceOf(table, reader);
  const isSync = reader === 'sync_reader';
  if (isSync && !table.flag('sync_reader.sync_rdb', true)) {
    throw badOption(path, 'sync_reader.sync_rdb', 'is false: a copy begins with a snapshot');
  }
  if (reader === 'scan_reader' && !table.flag('scan_reader.scan', true)) {
    throw badOption(path, 'scan_reader.scan', 'is false: changes are found by scanning');
  }
  const isFollowed = isSync && table.flag('sync_reader.sync_aof', true);
  const until = table.number('aof_reader.timestamp', 0);
  const behaviour = table.choice('advanced.rdb_restore_command_behavior', CONFLICTS, 'panic');
  const databases = [...table.numbers('filter.allow_db'), ...table.numbers('scan_reader.dbs')];
  return {
    source,
    target: writer === 'redis_writer' ? redisWriter(table) : fileWriter(table),
    sourceMode: reader === 'scan_reader' ? 'scan' : 'psync',
    conflict: removesExtra ? 'replace' : behaviour,
    removesExtra,
    stopsWhenSynced: !isFollowed && !table.flag('scan_reader.ksn', false),
    filter: filterOf(table),
    databases:
      databases.length === 0 ? undefined : databases.map((db) => ({ source: db, target: db })),
    withoutDatabases: table.numbers('filter.block_db'),
    dir: table.text('advanced.dir') || undefined,
    untilUnixSeconds: until === 0 ? undefined : until,
    forksMax: undefined,
    ignored: table.unused(),
  };
}

function parsed(text: string, path: string, env: Environment): unknown {
  // As the tool does before it reads the file: `${NAME}` is what the environment says.
  const whole = text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => env[name] ?? '');
  try {
    return parse(whole);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new ToolError('USAGE', `Cannot read "${path}" as TOML: ${reason}`, error);
  }
}

/** Values by their whole name, such as `sync_reader.address`. */
function flatten(
  value: unknown,
  name = '',
  into = new Map<string, unknown>(),
): Map<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    into.set(name, value);
    return into;
  }
  for (const [key, each] of Object.entries(value)) {
    flatten(each, name === '' ? key : `${name}.${key}`, into);
  }
  return into;
}

function sourceOf(table: WishTable, reader: (typeof READERS)[number]): ShakeEnd {
  if (reader === 'rdb_reader' || reader === 'aof_reader') {
    return { kind: 'files', paths: [table.required(`${reader}.filepath`)] };
  }
  return nodes(table, reader);
}

/** Whether it is a cluster is found out. */
function nodes(table: WishTable, section: string): ShakeEnd {
  table.use(`${section}.cluster`);
  const login = {
    username: table.text(`${section}.username`),
    password: table.text(`${section}.password`),
    tls: table.flag(`${section}.tls`, false),
  };
  const masterName = table.text(`${section}.sentinel.master_name`);
  const addresses =
    masterName === ''
      ? table.required(`${section}.address`)
      : table.required(`${section}.sentinel.address`);
  if (masterName !== '') table.use(`${section}.address`);
  return {
    kind: 'nodes',
    nodes: {
      seeds: nodesOf(addresses.split(','), login),
      ...(masterName === '' ? {} : { masterName }),
    },
  };
}

function redisWriter(table: WishTable): ShakeEnd {
  // Before 4.3 the address was the Sentinel's and `master` the name.
  const isSentinel = table.flag('redis_writer.sentinel', false);
  const master = table.text('redis_writer.master');
  const end = nodes(table, 'redis_writer');
  if (!isSentinel || end.kind !== 'nodes') return end;
  return { kind: 'nodes', nodes: { ...end.nodes, masterName: master } };
}

function fileWriter(table: WishTable): ShakeEnd {
  const filePath = table.required('file_writer.filepath');
  const ending = ENDINGS[table.text('file_writer.type') || 'cmd'];
  if (ending === undefined) throw table.bad('file_writer.type', 'is none of cmd, aof and json');
  return { kind: 'files', paths: [filePath.endsWith(ending) ? filePath : `${filePath}${ending}`] };
}

function filterOf(table: WishTable): FilterRules {
  for (const name of ['allow_command_group', 'block_command_group']) {
    if (table.texts(`filter.${name}`).length > 0) {
      throw table.bad(`filter.${name}`, 'is not known here: name the commands');
    }
  }
  const keys = (verb: string): string[] => [
    ...table.texts(`filter.${verb}_keys`).map(globLiteral),
    ...table.texts(`filter.${verb}_key_prefix`).map((text) => `${globLiteral(text)}*`),
    ...table.texts(`filter.${verb}_key_suffix`).map((text) => `*${globLiteral(text)}`),
    ...table.texts(`filter.${verb}_key_regex`).map((text) => `/${text}/`),
  ];
  return {
    only: keys('allow'),
    without: keys('block'),
    onlyCommands: table.texts('filter.allow_command'),
    withoutCommands: table.texts('filter.block_command'),
  };
}
