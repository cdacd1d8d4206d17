/**
 * Goal: libraries of functions are loaded and called as by redis-server 7.0.15, and are in snapshots and logs. Method: a
 * whole node over files in memory.
 */
import { expect, test } from 'vitest';
import { encodeLibraries } from '../../rdb/index.ts';
import { type TestClient, TestNode } from '../test-node.ts';

const one = (name: string, fn: string, body = 'return 1'): string =>
  `#!lua name=${name}\nredis.register_function('${fn}', function(keys, args) ${body} end)`;
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

const MANIFEST = 'appendonlydir/appendonly.aof.manifest';

function started(config = 'save ""', onDisk: Readonly<Record<string, string>> = {}): TestClient {
  return settledNode(config, onDisk).connect();
}

function settledNode(config: string, onDisk: Readonly<Record<string, string>> = {}): TestNode {
  const node = new TestNode(`${config}\nenable-debug-command yes`, false, onDisk);
  node.settle();
  return node;
}

/** Names of the libraries in the order of their coming. */
function names(client: TestClient): string[] {
  const list = client.call('FUNCTION', 'LIST');
  return [...list.matchAll(/library_name\r\n\$\d+\r\n(\w+)/g)].map(([, name]) => name!);
}

test('a function gets its keys and arguments as two tables, and calls commands', () => {
  const client = started();
  expect(client.call('FUNCTION', 'LOAD', one('lib', 'Fn', 'return {keys, args}'))).toBe(
    bulk('lib'),
  );
  expect(client.call('FCALL', 'fN', '1', 'k', 'a')).toBe(
    '*2\r\n*1\r\n$1\r\nk\r\n*1\r\n$1\r\na\r\n',
  );
  const set = one('lib', 'set', "return redis.call('SET', keys[1], args[1])");
  client.call('FUNCTION', 'LOAD', 'REPLACE', set);
  expect(client.call('FCALL', 'Fn', '0')).toBe('-ERR Function not found\r\n');
  expect(client.call('FCALL', 'set', '1', 'k', 'v')).toBe('+OK\r\n');
  expect(client.call('GET', 'k')).toBe(bulk('v'));
  expect(client.call('FCALL_RO', 'set', '1', 'k', 'v')).toBe(
    '-ERR Can not execute a script with write flag using *_ro command.\r\n',
  );
});

test('Valkey calls the table of the server otherwise, and so may its libraries', () => {
  const client = started();
  const code =
    "#!lua name=v\nserver.register_function('f', function() return server.call('PING') end)";
  expect(client.call('FUNCTION', 'LOAD', code)).toBe(bulk('v'));
  expect(client.call('FCALL', 'f', '0')).toBe('+PONG\r\n');
  expect(client.call('EVAL', 'return server == redis', '0')).toBe(':1\r\n');
});

test('functions of a library share what is local to it, and no globals', () => {
  const client = started();
  const counting = [
    ...['#!lua name=counting', 'local n = 0'],
    "redis.register_function('up', function() n = n + 1 return n end)",
    "redis.register_function('get', function() return n end)",
    "redis.register_function('leak', function() shared = 1 end)",
  ];
  client.call('FUNCTION', 'LOAD', counting.join('\n'));
  expect([client.call('FCALL', 'up', '0'), client.call('FCALL', 'up', '0')]).toEqual([
    ':1\r\n',
    ':2\r\n',
  ]);
  expect(client.call('FCALL', 'get', '0')).toBe(':2\r\n');
  expect(client.call('FCALL', 'leak', '0')).toBe(
    '-ERR user_function:5: Attempt to modify a readonly table script: leak, on @user_function:5.\r\n',
  );
});

/** Codes and the text of the error behind `ERR `. */
const REFUSED: readonly (readonly [code: string, text: string])[] = [
  ['return 1', 'No functions registered'],
  ['foo bar', "Error compiling function: user_function:2: '=' expected near 'bar'"],
  ...(
    [
      [
        'return math',
        "user_function:2: Script attempted to access nonexistent global variable 'math'",
      ],
      [
        'redis.call()',
        "user_function:2: Script attempted to access nonexistent global variable 'call'",
      ],
      ['x = 1', 'user_function:2: Attempt to modify a readonly table'],
      ['redis.x = 1', 'user_function:2: Attempt to modify a readonly table'],
      ['redis.register_function()', 'wrong number of arguments to redis.register_function'],
      [
        'redis.register_function("f", function() end) redis.register_function("F", function() end)',
        'Function already exists in the library',
      ],
      [
        'redis.register_function{function_name = "f", callback = function() end, flags = {"foo"}}',
        'unknown flag given',
      ],
    ] as const
  ).map(([code, text]) => [code, `Error registering functions: ERR ${text}`] as const),
];

test.each(REFUSED)('the code %j is refused, and the old library stays', (code, text) => {
  const client = started();
  client.call('FUNCTION', 'LOAD', one('lib', 'old'));
  const answer = client.call('FUNCTION', 'LOAD', 'REPLACE', `#!lua name=lib\n${code}`);
  expect(answer).toBe(`-ERR ${text}\r\n`);
  expect(client.call('FCALL', 'old', '0')).toBe(':1\r\n');
});

test('a library that is loaded for longer than half a second is given up, and others can be loaded', () => {
  const node = settledNode('save ""');
  const client = node.connect();
  node.stepUs = 100_000;
  expect(client.call('FUNCTION', 'LOAD', '#!lua name=lib\nwhile true do end')).toMatch(
    /^-ERR Error registering functions: ERR FUNCTION LOAD timeout 0\.[5-8]\d\r\n$/,
  );
  node.stepUs = 0;
  expect(client.call('FUNCTION', 'LOAD', one('lib', 'f'))).toBe(bulk('lib'));
  expect(client.call('FCALL', 'f', '0')).toBe(':1\r\n');
});

test('a payload has as long as one library, and nothing of it stays when that is over', () => {
  const node = settledNode('save ""');
  const client = node.connect();
  const endless = '#!lua name=endless\nwhile true do end';
  const payload = encodeLibraries([one('a', 'f'), endless]).toString('latin1');
  node.stepUs = 50_000;
  expect(client.call('FUNCTION', 'RESTORE', payload)).toMatch(
    / ERR FUNCTION LOAD timeout 0\.\d\d\r\n$/,
  );
  expect(names(client)).toEqual([]);
});

test('functions register nothing, and find the rest of what scripts have', () => {
  const client = started();
  const late = [
    ...['#!lua name=lib', 'local register = redis.register_function'],
    "register('late', function() register('x', function() end) end)",
    "register('has', function() return {tostring(redis.register_function), select('#', 1, 2)} end)",
  ];
  client.call('FUNCTION', 'LOAD', late.join('\n'));
  expect(client.call('FCALL', 'late', '0')).toMatch(
    /^-ERR redis.register_function can only be called on FUNCTION LOAD command/,
  );
  expect(client.call('FCALL', 'has', '0')).toBe('*2\r\n$3\r\nnil\r\n:2\r\n');
});

test('what is dumped is restored by a policy, or nothing changes', () => {
  const client = started();
  client.call('FUNCTION', 'LOAD', one('a', 'f'));
  const dump = client.call('FUNCTION', 'DUMP');
  const payload = dump.slice(dump.indexOf('\n') + 1, -2);
  expect(client.call('FUNCTION', 'RESTORE', payload)).toBe('-ERR Library a already exists\r\n');
  expect(client.call('FUNCTION', 'RESTORE', payload, 'REPLACE')).toBe('+OK\r\n');
  client.call('FUNCTION', 'LOAD', one('b', 'g'));
  expect(client.call('FUNCTION', 'RESTORE', payload.slice(1), 'FLUSH')).toBe(
    '-ERR DUMP payload version or checksum are wrong\r\n',
  );
  expect(names(client)).toContain('b');
  expect(client.call('FUNCTION', 'RESTORE', payload, 'FLUSH')).toBe('+OK\r\n');
  expect(names(client)).toEqual(['a']);
});

test('a snapshot has the libraries of the moment at which it began', () => {
  const node = settledNode('save ""');
  const client = node.connect();
  client.call('FUNCTION', 'LOAD', one('early', 'f'));
  client.call('BGSAVE');
  client.call('FUNCTION', 'FLUSH');
  client.call('FUNCTION', 'LOAD', one('late', 'f'));
  node.settle();
  const again = started('save ""', { 'dump.rdb': node.files.read('dump.rdb')! });
  expect(names(again)).toEqual(['early']);
  expect(again.call('FCALL', 'f', '0')).toBe(':1\r\n');
  expect(again.call('FLUSHALL')).toBe('+OK\r\n');
  expect(names(again)).toEqual(['early']);
});

test('a snapshot with a library that cannot be loaded starts nothing', () => {
  const code = '#!lua name=lib\nfoo';
  const file = `REDIS0010\xf5${String.fromCharCode(code.length)}${code}\xff\0\0\0\0\0\0\0\0`;
  expect(settledNode('save ""', { 'dump.rdb': file }).flaw).toMatch(
    /Failed creating functions library: Error compiling function/,
  );
});

test('DEBUG RELOAD has the libraries of the file, with NOFLUSH only in the place of others', () => {
  const client = started();
  client.call('FUNCTION', 'LOAD', one('a', 'f'));
  expect(client.call('DEBUG', 'RELOAD')).toBe('+OK\r\n');
  expect(names(client)).toEqual(['a']);
  client.call('FUNCTION', 'LOAD', one('b', 'g'));
  client.call('DEBUG', 'RELOAD', 'NOSAVE');
  expect(names(client)).toEqual(['a']);
  expect(client.call('DEBUG', 'RELOAD', 'NOFLUSH')).toMatch(/^-ERR Error trying to load/);
  client.call('FUNCTION', 'LOAD', 'REPLACE', one('a', 'f', 'return 2'));
  expect(client.call('DEBUG', 'RELOAD', 'NOSAVE', 'NOFLUSH', 'MERGE')).toBe('+OK\r\n');
  expect(client.call('FCALL', 'f', '0')).toBe(':1\r\n');
});

test.each(['yes', 'no'])(
  'the log has what came and what went, rewritten too (preamble %s)',
  (preamble) => {
    const config = `appendonly yes\naof-use-rdb-preamble ${preamble}`;
    const node = settledNode(config);
    const client = node.connect();
    client.call('FUNCTION', 'LOAD', one('a', 'f'));
    client.call('BGREWRITEAOF');
    node.settle();
    client.call('FUNCTION', 'LOAD', 'broken');
    client.call('FUNCTION', 'LOAD', one('b', 'g'));
    client.call('FUNCTION', 'LOAD', one('c', 'h'));
    client.call('FUNCTION', 'DELETE', 'b');
    node.settle();
    const manifest = node.files.read(MANIFEST)!;
    const logs = [...manifest.matchAll(/file (\S+)/g)].map(([, name]) => `appendonlydir/${name}`);
    const files = Object.fromEntries(
      [MANIFEST, ...logs].map((name) => [name, node.files.read(name)!]),
    );
    expect(Object.values(files).join('')).not.toContain('broken');
    expect(names(started(config, files))).toEqual(['a', 'c']);
    expect(client.call('DEBUG', 'LOADAOF')).toBe('+OK\r\n');
    expect(names(client)).toEqual(['a', 'c']);
  },
);

test('libraries are counted as changes, and shown by INFO and FUNCTION STATS', () => {
  const client = started();
  client.call('FUNCTION', 'LOAD', one('a', 'f'));
  client.call('FUNCTION', 'DELETE', 'nope');
  expect(client.call('INFO', 'persistence')).toContain('rdb_changes_since_last_save:1\r\n');
  const memory = client.call('INFO', 'memory');
  expect(memory).toMatch(/number_of_functions:1\r\nnumber_of_libraries:1\r\n/);
  expect(memory).toMatch(/used_memory_functions:[1-9]/);
  expect(client.call('FUNCTION', 'STATS')).toBe(
    '*4\r\n$14\r\nrunning_script\r\n$-1\r\n$7\r\nengines\r\n*2\r\n$3\r\nLUA\r\n' +
      '*4\r\n$15\r\nlibraries_count\r\n:1\r\n$15\r\nfunctions_count\r\n:1\r\n',
  );
  expect(client.call('FUNCTION', 'KILL')).toBe('-NOTBUSY No scripts in execution right now.\r\n');
});

test('a function that takes long is shown and killed, until it has written', () => {
  const node = new TestNode('busy-reply-threshold 200\nsave ""');
  const [client, other] = [node.connect(), node.connect()];
  const work = (slices: number): void => {
    for (let i = 0; i < slices; i++) node.later.shift()?.();
  };
  const loops = [
    ...['#!lua name=loops', "redis.register_function('Loop', function() while true do end end)"],
    "redis.register_function('write', function() redis.call('SET', 'k', 1) while true do end end)",
  ];
  client.call('FUNCTION', 'LOAD', loops.join('\n'));
  node.stepUs = 5000;
  client.call('FCALL', 'LOOP', '0', 'x');
  work(30);
  expect(other.call('FUNCTION', 'LIST')).toMatch(
    /^-BUSY .* FUNCTION KILL or SHUTDOWN NOSAVE\.\r\n$/,
  );
  expect(other.call('SCRIPT', 'KILL')).toMatch(/^-BUSY /);
  expect(other.call('FUNCTION', 'STATS')).toContain(
    '$4\r\nname\r\n$4\r\nLoop\r\n$7\r\ncommand\r\n*4\r\n$5\r\nFCALL\r\n$4\r\nLOOP\r\n$1\r\n0\r\n$1\r\nx\r\n',
  );
  expect(other.call('FUNCTION', 'KILL')).toBe('+OK\r\n');
  work(30);
  expect(client.received).toMatch(
    /^-ERR Script killed by user with SCRIPT KILL\.\.\. script: Loop, on /,
  );
  expect(other.call('FUNCTION', 'STATS')).toContain('$14\r\nrunning_script\r\n$-1\r\n');
  client.call('FCALL', 'write', '0');
  work(30);
  expect(other.call('FUNCTION', 'KILL')).toMatch(/^-UNKILLABLE /);
  other.call('SHUTDOWN', 'NOSAVE');
});

test('while a script of EVAL is busy, functions are neither shown nor killed', () => {
  const node = new TestNode('busy-reply-threshold 200\nsave ""');
  const [client, other] = [node.connect(), node.connect()];
  node.stepUs = 5000;
  client.call('EVAL', 'while true do end', '0');
  for (let i = 0; i < 30; i++) node.later.shift()?.();
  for (const subcommand of ['STATS', 'KILL']) {
    expect(other.call('FUNCTION', subcommand)).toMatch(/^-BUSY .* SCRIPT KILL or SHUTDOWN NOSAVE/);
  }
  other.call('SHUTDOWN', 'NOSAVE');
});
