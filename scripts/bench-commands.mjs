/**
 * `npm run bench:commands [-- commands|connections|pubsub|tls...] [--rounds 4] [--n 150000] [--only 'PATTERN']`: CPU of
 * what redis-benchmark has no test for beside the redis-server of this machine, in turns: microseconds a command at
 * -P 16, a connection that asks one thing, a message to subscribers, a command under TLS. The first round is left out:
 * code is compiled in it. Prints one JSON object a line. Environment: see bench-servers.mjs.
 */
import { execFile } from 'node:child_process';
import { once as event } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  Client,
  SERVERS,
  SIDES,
  chosenOf,
  cpuSeconds,
  options,
  pipelined,
  running,
  show,
  sleep,
  start,
  stop,
} from './bench-servers.mjs';
import { ROOT } from './project.mjs';

const run = promisify(execFile);
const { option, rest } = options();
const rounds = Number(option('rounds', 4));
const count = Number(option('n', 150_000));
const only = new RegExp(option('only', ''));
const PARTS = { commands, connections, pubsub, tls };
const chosen = chosenOf(PARTS, rest());
if (rounds < 2) {
  console.error('bench: the first round is left out, so give --rounds at least 2');
  process.exit(2);
}

/** What is there before, on keys of a number below 10,000 each. */
const any = (i) => (i * 7919) % 10_000;
const LOADS = [
  (i) => ['SET', `key:${number(any(i))}`, 'x'.repeat(32)],
  (i) => ['HSET', `h:${number(any(i))}`, ...[1, 2, 3, 4, 5].flatMap((f) => [`f${f}`, `v${f}`])],
  (i) => ['SADD', `s:${number(any(i))}`, 'a', 'b', 'c', 'd', 'e', 'f'],
  (i) => ['ZADD', `z:${number(any(i))}`, 1, 'a', 2, 'b', 3, 'c', 4, 'd', 5, 'e'],
  (i) => ['RPUSH', `l:${number(i)}`, 'a', 'b', 'c', 'd', 'e'],
  (i) => ['ZADD', 'zset', any(i), `m:${number(any(i))}`],
  (i) => ['SADD', 'set', `m:${number(any(i))}`],
  (i) => ['HSET', 'hash', `f:${number(any(i))}`, `v:${i}`],
  (i) => ['XADD', 'stream', '*', 'field', `value:${i}`],
  (i) => ['PFADD', 'hll', i],
  (i) => ['GEOADD', 'geo', 13 + any(i) / 10_000, 38 + any(i + 1) / 10_000, `m:${number(any(i))}`],
];

/** As redis-benchmark writes it. */
function number(i) {
  return String(i).padStart(12, '0');
}

/** `R` stands for a number below 10,000. */
const COMMANDS = `
PING|ECHO hello|DBSIZE|RANDOMKEY|EXISTS key:R|TYPE key:R|TTL key:R|OBJECT ENCODING key:R|SCAN 0 COUNT 10
DEL gone:R|EXPIRE key:R 1000|PEXPIRE key:R 1000000 GT|PERSIST key:R|COPY key:R copy:R REPLACE
SETEX key:R 1000 xxxxxxxxxxxxxxxx|SET key:R x KEEPTTL|SETNX key:R x|GETSET key:R yyyy|GETDEL gone:R|GETEX key:R PERSIST
APPEND ap:R x|STRLEN key:R|GETRANGE key:R 0 5|SETRANGE key:R 2 abc|INCRBY n:R 5|DECR n:R|INCRBYFLOAT f:R 1.5
MGET key:R key:R key:R key:R key:R key:R key:R key:R key:R key:R|LCS key:R key:R LEN
SETBIT bits:R 7 1|GETBIT bits:R 7|BITCOUNT key:R|BITPOS key:R 1|BITFIELD bf:R INCRBY u8 0 1|BITOP AND dest key:R key:R
HGET h:R f3|HMGET h:R f1 f3 f5|HGETALL h:R|HKEYS h:R|HVALS h:R|HLEN h:R|HEXISTS h:R f4|HSTRLEN h:R f1|HSET h:R f3 zz
HINCRBY hn:R a 1|HINCRBYFLOAT hf:R a 1.5|HDEL h:R none|HRANDFIELD h:R|HSCAN h:R 0|HSET hash f:R v|HGET hash f:R
SISMEMBER s:R c|SMISMEMBER s:R a z|SMEMBERS s:R|SCARD s:R|SADD s:R a|SREM s:R none|SRANDMEMBER s:R|SINTER s:R s:R
SUNION s:R s:R|SDIFF s:R s:R|SINTERSTORE dest s:R s:R|SMOVE s:R dest none|SSCAN s:R 0|SISMEMBER set m:R|SRANDMEMBER set 5
ZSCORE zset m:R|ZMSCORE zset m:R m:R|ZRANK zset m:R|ZREVRANK zset m:R|ZINCRBY zset 1 m:R|ZCARD zset|ZCOUNT zset 100 R
ZRANGE zset 0 9|ZRANGE zset 0 9 WITHSCORES|ZREVRANGE zset 0 9|ZRANGEBYSCORE zset R +inf LIMIT 0 10|ZADD z:R 3 c
ZRANGE z:R 0 -1|ZREM z:R none|ZRANDMEMBER zset|ZUNION 2 z:R z:R|ZINTER 2 z:R z:R|ZLEXCOUNT z:R - +|ZSCAN z:R 0
LRANGE l:R 0 4|LINDEX l:R 2|LLEN l:R|LSET l:R 0 zz|LTRIM l:R 0 40|LPOS l:R c|LINSERT l:R BEFORE c d|LREM l:R 0 d
RPOPLPUSH l:R l:R|LMOVE l:R l:R LEFT RIGHT|LPUSHX l:R a|LPOP l:R|SORT l:R ALPHA LIMIT 0 5
XRANGE stream - + COUNT 10|XREVRANGE stream + - COUNT 10|XLEN stream|XREAD COUNT 10 STREAMS stream 0|XADD x:R MAXLEN 10 * f v
PFADD hll R|PFCOUNT hll|GEOADD geo 13.R 38.R m:R|GEOPOS geo m:R|GEODIST geo m:R m:R|GEOHASH geo m:R
GEOSEARCH geo FROMLONLAT 13.5 38.5 BYRADIUS 1 km COUNT 5|DUMP h:R|PUBLISH nobody x
EVAL return\u00a01 0|EVAL return\u00a0redis.call('get',KEYS[1]) 1 key:R|EVAL return\u00a0redis.call('incr',KEYS[1]) 1 n:R
`
  .split(/[|\n]/)
  .filter(Boolean)
  .map((line) => line.split(' ').map((word) => word.replaceAll('\u00a0', ' ')));

for (const name of chosen) await PARTS[name]();
process.exit(0);

async function commands() {
  for (const side of SIDES) {
    const { port } = await start(side);
    const client = new Client(port);
    for (const load of LOADS) await pipelined(client, 20_000, load);
    client.close();
  }
  for (const command of COMMANDS) {
    const words = command.map((word) => word.replaceAll(/\bR\b/g, '__rand_int__'));
    await compare(command.join(' '), count, (side) =>
      benchmark(side, ['-P', 16, '-n', count, '-r', 10_000, ...words]),
    );
  }
  await end();
}

/** Clients without a pool, as those of PHP: connect, ask, go. */
async function connections() {
  for (const side of SIDES) await start(side);
  const total = 20_000;
  await compare('connection', total, async (side) => {
    await benchmark(side, ['-k', 0, '-n', total, '-t', 'get']);
    // The ports of closed connections are taken for a while.
    await sleep(2000);
  });
  await end();
}

async function pubsub() {
  for (const side of SIDES) await start(side);
  for (const [listeners, bytes] of [
    [1, 64],
    [10, 64],
    [50, 64],
    [10, 2000],
  ]) {
    const sockets = {};
    for (const side of SIDES) sockets[side] = await listen(SERVERS[side].port, listeners);
    const total = 60_000;
    await compare(`PUBLISH of ${bytes} bytes to ${listeners}`, total, (side) =>
      benchmark(side, ['-P', 16, '-n', total, '-c', 1, 'PUBLISH', 'news', 'x'.repeat(bytes)]),
    );
    for (const socket of Object.values(sockets).flat()) socket.destroy();
  }
  await end();
}

async function listen(port, howMany) {
  const sockets = Array.from({ length: howMany }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) {
    socket.write('SUBSCRIBE news\r\n');
    await event(socket, 'data');
    socket.resume();
  }
  return sockets;
}

async function tls() {
  const file = (name) => join(ROOT, 'tests/interop/harness/tls', name);
  const keys = ['--tls-cert-file', file('server.crt'), '--tls-key-file', file('server.key')];
  const ports = { ref: SERVERS.ref.port + 100, own: SERVERS.own.port + 100 };
  for (const side of SIDES) {
    const flags = ['--tls-port', ports[side], ...keys, '--tls-ca-cert-file', file('ca.crt')];
    await start(side, { flags });
  }
  const own = ['--cert', file('client.crt'), '--key', file('client.key')];
  for (const [test, pipeline, total] of [
    ['set', 16, 200_000],
    ['get', 16, 200_000],
    ['set', 1, 50_000],
    ['get', 1, 50_000],
    ['lrange_100', 1, 20_000],
  ]) {
    await compare(`TLS ${test} -P ${pipeline}`, total, (side) => {
      const what = ['-t', test, '-P', pipeline, '-n', total, '-r', 100_000, '-d', 32];
      return benchmark(side, ['--tls', ...own, '--cacert', file('ca.crt'), ...what], ports[side]);
    });
  }
  await end();
}

/** CPU microseconds of the server for each of `total` things that `act` has it do. */
async function compare(name, total, act) {
  if (!only.test(name)) return;
  const seconds = { ref: 0, own: 0 };
  for (let round = 0; round < rounds; round++) {
    for (const side of SIDES) {
      const before = cpuSeconds(running[side]);
      await act(side);
      if (round > 0) seconds[side] += cpuSeconds(running[side]) - before;
    }
  }
  const each = (side) => (seconds[side] / (rounds - 1) / total) * 1e6;
  show(name, each('ref'), each('own'));
}

function benchmark(side, args, port = SERVERS[side].port) {
  return run('redis-benchmark', ['-p', port, '-q', ...args].map(String), { maxBuffer: 1 << 26 });
}

async function end() {
  for (const side of SIDES) await stop(side);
}
