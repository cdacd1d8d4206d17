/**
 * Goal: FUNCTION and FCALL answer as those of a real server do, and libraries move freely between its nodes and ours: by
 * FUNCTION DUMP, by replication, and by the files that either starts from. Method: the same calls on both ends, and
 * FUNCTION LIST WITHCODE of both.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BothServers } from './harness/both-servers.ts';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SERVER, REAL_SERVER, describeWithRealRedis, required } from './harness/programs.ts';
import type { Reply } from './harness/resp-connection.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 20_000;
const CONFIG = ['enable-debug-command yes', 'repl-diskless-sync-delay 0'];

const library = (name: string, ...lines: readonly string[]): string =>
  [`#!lua name=${name}`, ...lines].join('\n');
const one = (name: string, fn: string, body = 'return 1'): string =>
  library(name, `redis.register_function('${fn}', function(keys, args) ${body} end)`);
const registering = (...parts: readonly string[]): string =>
  library('reg', `redis.register_function{${parts.join(', ')}}`);
const CALLBACK = 'callback = function() end';

/** Libraries that are refused, or whose reply tells something. */
const CODES: readonly string[] = [
  ...[
    '',
    'return 1',
    '#!lua',
    '#!lua\n',
    '#!js name=a\n',
    '#!lua name=a b=c\n',
    '#!lua name=a-b\n',
  ],
  library('none', 'return 1'),
  library('syntax', 'foo bar'),
  library('call', "return redis.call('ping')"),
  library('global', 'x = 1'),
  library('unknown', 'return x'),
  library('lib', 'return math.abs(1)'),
  library('field', 'redis.foo = 1'),
  library('api', 'return redis.sha1hex("x")'),
  library('inner', 'local a = {} ; return a.b.c'),
  library('value', 'redis()'),
  library('deep', 'local function f() return 1 + f() end f()'),
  library('log', 'redis.log(1)'),
  library('log', 'redis.log(9, "x")'),
  library('reg', 'redis.register_function()'),
  library('reg', 'redis.register_function("a")'),
  library('reg', 'redis.register_function("a", 1)'),
  library('reg', 'redis.register_function({}, function() end)'),
  library('reg', 'redis.register_function("a b", function() end)'),
  library('reg', 'redis.register_function("a", function() end, 1)'),
  library(
    'reg',
    'local f = function() end',
    'redis.register_function("a", f)',
    'redis.register_function("a", f)',
  ),
  registering(),
  registering('1'),
  registering('[true] = "a"'),
  registering('function_name = "a"'),
  registering(CALLBACK),
  registering('function_name = "a"', 'callback = 1'),
  registering('function_name = {}', CALLBACK),
  registering('function_name = "a"', CALLBACK, 'foo = 1'),
  registering('function_name = "a"', CALLBACK, 'flags = 1'),
  registering('function_name = "a"', CALLBACK, 'flags = {1}'),
  registering('function_name = "a"', CALLBACK, 'flags = {"foo"}'),
  registering('function_name = "a"', CALLBACK, 'description = {}'),
  registering(
    ...['FUNCTION_NAME = 1', CALLBACK, 'description = 12'],
    'flags = {"no-cluster", "ALLOW-STALE", "no-writes", "allow-oom", "allow-cross-slot-keys"}',
  ),
];

/** Bodies of functions, each called once with a key and an argument. */
const BODIES: readonly string[] = [
  ...[
    'return 1',
    'return keys[1]',
    'return {keys, args}',
    'return #keys + #args',
    'return keys[2]',
  ],
  ...['return x', 'x = 1', 'redis.foo = 1', 'return KEYS', 'return redis.foo', 'return _G'],
  ...['return redis.register_function', 'redis.register_function("b", function() end)'],
  ...['return error("boo")', 'return error({err = "X foo"})', 'return {err = "X foo"}'],
  ...[
    'return redis.error_reply("boo")',
    'return redis.status_reply("fine")',
    'return math.floor(3.7)',
  ],
  ...['return redis.call("set", keys[1], args[1])', 'return redis.call("get", keys[1])'],
  ...[
    'return redis.call("nope")',
    'return redis.pcall("nope").err',
    'return redis.call("fcall", "f", 0)',
  ],
  ...[
    'return redis.call("function", "list")',
    'return redis.replicate_commands',
    'return redis.breakpoint',
  ],
  'local t = {} for k in pairs(_G) do t[#t + 1] = k end table.sort(t) return t',
  'local t = {} for k in pairs(redis) do t[#t + 1] = k end table.sort(t) return t',
  'return loadstring("return redis.sha1hex(\'\')")()',
];

const CALLS: readonly (readonly string[])[] = [
  ['FUNCTION'],
  ['FUNCTION', 'FOO'],
  ['FUNCTION', 'HELP'],
  ['FUNCTION', 'LOAD'],
  ['FUNCTION', 'LOAD', 'REPLACE'],
  ['FUNCTION', 'LOAD', 'FOO', 'BAR'],
  ['FUNCTION', 'DELETE', 'nope'],
  ['FUNCTION', 'LIST', 'FOO'],
  ['FUNCTION', 'LIST', 'LIBRARYNAME'],
  ['FUNCTION', 'LIST', 'WITHCODE', 'WITHCODE'],
  ['FUNCTION', 'LIST', 'LIBRARYNAME', 'a', 'LIBRARYNAME', 'b'],
  ['FUNCTION', 'FLUSH', 'FOO'],
  ['FUNCTION', 'FLUSH', 'SYNC', 'ASYNC'],
  ['FUNCTION', 'STATS'],
  ['FUNCTION', 'STATS', 'x'],
  ['FUNCTION', 'KILL'],
  ['FUNCTION', 'DUMP'],
  ['FUNCTION', 'RESTORE', 'x'],
  ['FUNCTION', 'RESTORE', 'x', 'FOO'],
  ['FUNCTION', 'RESTORE', 'x', 'FLUSH', 'x'],
  ['FCALL', 'nope', '0'],
  ['FCALL', 'nope', 'a'],
  ['FCALL_RO', 'nope', '0'],
  ['FUNCTION', 'LOAD', one('first', 'f')],
  ['FUNCTION', 'LOAD', one('first', 'f')],
  ['FUNCTION', 'LOAD', one('second', 'f')],
  ['FUNCTION', 'LOAD', one('second', 'F')],
  ['FUNCTION', 'LOAD', 'REPLACE', one('first', 'f', 'return 2')],
  ['FUNCTION', 'DUMP'],
  ['FUNCTION', 'LIST', 'LIBRARYNAME', 'FIR*', 'WITHCODE'],
  ['FUNCTION', 'LIST', 'LIBRARYNAME', 'nope*'],
  ['FUNCTION', 'DELETE', 'FIRST'],
  ['FCALL', 'F', '0'],
  ['FCALL', 'f'],
  ['FCALL', 'f', 'a'],
  ['FCALL', 'f', '-1'],
  ['FCALL', 'f', '2', 'a'],
  ['FCALL_RO', 'f', '0'],
  ['FUNCTION', 'STATS'],
  ['COMMAND', 'GETKEYS', 'FCALL', 'f', '2', 'a', 'b', 'c'],
  ['COMMAND', 'INFO', 'fcall', 'fcall_ro', 'function|load', 'function|stats'],
  ['FLUSHALL'],
  ['FUNCTION', 'LIST'],
  ['FUNCTION', 'DELETE', 'first'],
  ['FUNCTION', 'LOAD', one('second', 'F')],
  ['FUNCTION', 'FLUSH', 'ASYNC'],
  ['FUNCTION', 'LIST'],
];

describeWithRealRedis('functions', () => {
  const servers = new BothServers(CONFIG);

  const made = (exe: string, port: number, folder: string, ...config: string[]): NodeProcess =>
    new NodeProcess({ exe, port, dir: join(servers.dir, folder), config: [...CONFIG, ...config] });

  /** The answer of both, which must be equal. */
  async function same(...args: readonly (string | Buffer)[]): Promise<Reply> {
    const [ourAnswer, realAnswer] = await Promise.all(servers.all.map((end) => answer(end, args)));
    expect(ourAnswer, shown(args)).toEqual(realAnswer);
    return ourAnswer ?? null;
  }

  test('calls are answered alike', async () => {
    for (const call of CALLS) await same(...call);
    for (const code of CODES) {
      await same('FUNCTION', 'LOAD', code);
      await same('FUNCTION', 'LIST', 'WITHCODE');
      await same('FUNCTION', 'FLUSH');
    }
    for (const body of BODIES) {
      await same('FUNCTION', 'LOAD', 'REPLACE', one('bodies', 'f', body));
      await same('FCALL', 'f', '1', 'key', 'argument');
    }
    const readOnly = ['function_name = "ro"', 'flags = {"no-writes"}'];
    const writing = 'callback = function(keys) return redis.call("set", keys[1], 1) end';
    await same('FUNCTION', 'LOAD', registering(...readOnly, writing));
    await same('FCALL_RO', 'ro', '1', 'key');
    await same('FCALL', 'ro', '1', 'key');
    await same('FUNCTION', 'FLUSH');
  });

  test('what one has dumped the other restores', async () => {
    // Compressed, the same bytes may be packed in more than one way.
    await same('CONFIG', 'SET', 'rdbcompression', 'no');
    for (const policy of [['FLUSH'], ['APPEND'], ['REPLACE'], []]) {
      await same('FUNCTION', 'LOAD', one('mine', 'f', 'return "x"'));
      const dump = await same('FUNCTION', 'DUMP');
      expect(Buffer.isBuffer(dump) || typeof dump === 'string').toBe(true);
      await same('FUNCTION', 'RESTORE', dump as string, ...policy);
      await same('FUNCTION', 'LOAD', one('other', 'g'));
      await same('FUNCTION', 'DELETE', 'mine');
      await same('FUNCTION', 'RESTORE', dump as string, ...policy);
      expect(await librariesOf(servers.ours)).toEqual(await librariesOf(servers.real));
      await same('FUNCTION', 'FLUSH');
    }
  });

  test.each([
    ['ours follows a real master', 1],
    ['a real one follows ours', 0],
  ])('%s: libraries as they come and go', async (_, first) => {
    const nodes = servers.all;
    const [master, replica] = [nodes[first]!, nodes[1 - first]!];
    for (const node of nodes) {
      await node.call('REPLICAOF', 'NO', 'ONE');
      await node.call('FUNCTION', 'FLUSH');
      await node.call('FLUSHALL');
    }
    await replica.call('FUNCTION', 'LOAD', one('gone', 'gone'));
    await master.call('FUNCTION', 'LOAD', one('early', 'early'));
    await replica.call('REPLICAOF', '127.0.0.1', master.port);
    await until(
      async () => (await replica.facts('INFO', 'replication')).get('master_link_status') === 'up',
      BOUND_MS,
      'the replica is in step',
    );
    const settled = async (): Promise<void> => {
      await master.call('WAIT', 1, BOUND_MS);
      expect(await librariesOf(replica)).toEqual(await librariesOf(master));
    };
    await settled();
    expect(await librariesOf(replica)).toHaveLength(1);
    await master.call(
      'FUNCTION',
      'LOAD',
      one('late', 'late', 'return redis.call("incr", keys[1])'),
    );
    await settled();
    expect(await master.call('FCALL', 'late', 1, 'counter')).toBe(1);
    await settled();
    expect(await replica.call('GET', 'counter')).toBe(await master.call('GET', 'counter'));
    const dump = (await master.call('FUNCTION', 'DUMP')) as string;
    await master.call('FUNCTION', 'DELETE', 'early');
    await settled();
    await master.call('FUNCTION', 'RESTORE', dump, 'REPLACE');
    await settled();
    expect(await librariesOf(replica)).toHaveLength(2);
    await master.call('FUNCTION', 'FLUSH');
    await settled();
    expect(await librariesOf(replica)).toEqual([]);
    await replica.call('REPLICAOF', 'NO', 'ONE');
  });

  test.each([
    ['a snapshot', [], 'SAVE'],
    ['a log', ['appendonly yes'], ''],
    ['a rewritten log', ['appendonly yes'], 'BGREWRITEAOF'],
    ['a log of commands', ['appendonly yes', 'aof-use-rdb-preamble no'], 'BGREWRITEAOF'],
  ])('each starts from %s of the other', async (what, config, command) => {
    const [port = 0] = await freePorts(1);
    const exes = [OUR_SERVER, required(REAL_SERVER, 'redis-server')];
    for (const [index, exe] of exes.entries()) {
      const [from, to] = [`${what} ${index}`, `${what} to ${index}`];
      const writer = made(exe, port, from, ...config);
      await writer.start();
      await writer.call('FUNCTION', 'LOAD', one('mine', 'f', 'return "mine"'));
      await writer.call(
        'FUNCTION',
        'LOAD',
        one('other', 'g', 'return redis.call("incr", keys[1])'),
      );
      if (command !== '') await writer.call(command);
      await until(
        async () => !(await writer.text('INFO', 'persistence')).includes('in_progress:1'),
        BOUND_MS,
        'the file is written',
      );
      if (command !== 'SAVE') await writer.call('FCALL', 'g', 1, 'n');
      const libraries = await librariesOf(writer);
      expect(libraries).toHaveLength(2);
      // The real one may keep what it wrote to itself for a moment.
      await writer.signal('SIGTERM');
      cpSync(join(servers.dir, from), join(servers.dir, to), { recursive: true });
      const reader = made(exes[1 - index]!, port, to, ...config);
      await reader.start();
      expect(await librariesOf(reader), exes[1 - index]).toEqual(libraries);
      expect(await reader.text('FCALL', 'f', 0)).toBe('mine');
      expect(await reader.call('FCALL', 'g', 1, 'n')).toBe(command === 'SAVE' ? 1 : 2);
      expect(await reader.call('DEBUG', 'RELOAD')).toBe('OK');
      expect(await librariesOf(reader)).toEqual(libraries);
      await reader.kill();
    }
  });
});

async function answer(
  end: NodeProcess,
  args: readonly (string | Buffer)[],
): Promise<Reply | string> {
  try {
    return await end.call(...args);
  } catch (error) {
    return `error: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** In the order of their names: the real server's own is a matter of chance. */
async function librariesOf(node: NodeProcess): Promise<readonly string[]> {
  const libraries = (await node.call('FUNCTION', 'LIST', 'WITHCODE')) as readonly Reply[];
  return libraries.map((each) => JSON.stringify(each)).sort();
}

function shown(args: readonly (string | Buffer)[]): string {
  return args.map((arg) => String(arg)).join(' ');
}
