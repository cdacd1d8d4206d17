/**
 * `npm run bench:sizes [-- hundred|large...] [--rounds 3] [--only 'PATTERN']`: what takes more with the size of a value,
 * beside the redis-server of this machine, in turns. `hundred`: CPU microseconds a command on values of a hundred
 * elements, -P 8; the first round is left out, because code is compiled in it. `large`: the least milliseconds of one
 * command on values of 200,000 elements and strings of ten million bytes: what grows faster than it should shows there.
 * Prints one JSON object a line. Environment: see bench-servers.mjs.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  Client,
  SERVERS,
  SIDES,
  chosenOf,
  cpuSeconds,
  now,
  options,
  pipelined,
  running,
  show,
  start,
  stop,
} from './bench-servers.mjs';

const run = promisify(execFile);
const { option, rest } = options();
const rounds = Number(option('rounds', 3));
const only = new RegExp(option('only', ''));
const PARTS = { hundred, large };
const chosen = chosenOf(PARTS, rest());
if (rounds < 2) {
  console.error('bench: the first round is left out, so give --rounds at least 2');
  process.exit(2);
}

const KEYS = 200;
const COMMANDS = 30_000;
const LARGE = 200_000;
/** One command on a large value is repeated for about so long. */
const LARGE_MS = 300;

/** Commands of a text, one a line or between bars; `~` stands for a blank within an argument. */
function commandsOf(text) {
  return text
    .split(/[|\n]/)
    .filter(Boolean)
    .map((line) => line.split(' ').map((word) => word.replaceAll('~', ' ')));
}

/** `R` stands for one of the keys. */
const HUNDRED = commandsOf(`
HGET h:R field:50|HGETALL h:R|HSET h:R field:70 new|HINCRBY h:R count 1|HKEYS h:R|HSCAN h:R 0|HRANDFIELD h:R 10|HRANDFIELD h:R -10
ZSCORE z:R member:50|ZADD z:R 500 member:50|ZINCRBY z:R 1 member:50|ZRANK z:R member:50|ZRANGE z:R 0 9|ZRANGE z:R 0 -1 WITHSCORES
ZRANGE f:R 0 -1 WITHSCORES|ZSCORE f:R member:50|ZRANGEBYSCORE z:R 400 500|ZCOUNT z:R 100 500|ZRANDMEMBER z:R 5|ZINTER 2 z:R z:R
ZUNION 2 z:R z:R|ZUNIONSTORE d1:R 2 z:R z:R|ZDIFF 2 z:R f:R|ZRANGESTORE d2:R z:R 0 -1|ZRANGEBYLEX z:R [m +
SISMEMBER s:R member:50|SMEMBERS s:R|SRANDMEMBER s:R 5|SINTER s:R s:R|SUNION s:R s:R|SDIFF s:R s:R|SINTERSTORE d3:R s:R s:R
SUNIONSTORE d4:R s:R s:R|SINTERCARD 2 s:R s:R|SISMEMBER i:R 150|SMEMBERS i:R|SINTER i:R i:R|SUNION i:R i:R|SDIFF i:R i:R
SINTERSTORE d5:R i:R i:R|SUNIONSTORE d6:R i:R i:R|SADD i:R 150|SINTERCARD 2 i:R i:R
LRANGE l:R 0 -1|LINDEX l:R 50|LPOS l:R element:1550|LSET l:R 50 new|LREM l:R 0 none|LMOVE l:R l:R LEFT RIGHT
SORT n:R|SORT n:R LIMIT 0 10|SORT l:R ALPHA|SORT l:R ALPHA LIMIT 0 10
XRANGE x:R - +|XRANGE x:R - + COUNT 10|XREVRANGE x:R + - COUNT 10|XREAD COUNT 10 STREAMS x:R 50|XINFO STREAM x:R
GETRANGE t:R 100 200|SETRANGE t:R 1000 abcdef|BITCOUNT t:R|BITPOS t:R 0|BITOP OR d7 t:R t:R|BITFIELD t:R GET u16 #100 SET u8 #5 7
GEOSEARCH g:R FROMLONLAT 13.2 38.2 BYRADIUS 20 km ASC COUNT 10|GEOSEARCH g:R FROMMEMBER p:50 BYBOX 40 40 km
PFCOUNT p:R|PFADD p:R new|PFCOUNT p:R p:R|PFMERGE d8:R p:R p:R
DUMP h:R|DUMP z:R|DUMP s:R|DUMP l:R|COPY h:R c1:R REPLACE|COPY z:R c2:R REPLACE|COPY s:R c3:R REPLACE|COPY x:R c4:R REPLACE
EVAL return~#redis.call('hgetall',KEYS[1]) 1 h:R|EVAL return~cjson.encode(redis.call('lrange',KEYS[1],0,-1)) 1 l:R
`);

const LONG = ['long', 'long2'];
/** `@` before a key: it is made anew, as a copy of what is behind the `@`, before each call. */
const LARGE_COMMANDS = commandsOf(`
SORT nums LIMIT 0 5|SORT list ALPHA LIMIT 0 5|SORT nums STORE to|SORT nums BY w_* LIMIT 0 5|SORT zset ALPHA LIMIT 0 5
LCS text text2 LEN|LCS text text2 IDX MINMATCHLEN 99|BITCOUNT long|BITPOS long 1|BITOP AND to long long2|BITOP NOT to long
KEYS none*|SCAN 0 COUNT 1000000 MATCH none*|SSCAN set 0 COUNT 1000000 MATCH none*|HSCAN hash 0 COUNT 1000000 MATCH none*
SINTERSTORE to set set2|SUNIONSTORE to set set2|SDIFFSTORE to set set2|SINTERCARD 2 set set2
SRANDMEMBER set 1000|SRANDMEMBER set -1000|SPOP @set 1000|HRANDFIELD hash 1000|HRANDFIELD hash -1000
ZRANGEBYSCORE zset -inf +inf LIMIT 100000 10|ZUNIONSTORE to 2 zset zset2|ZINTERSTORE to 2 zset zset2|ZDIFFSTORE to 2 zset zset2
ZRANGESTORE to zset 0 -1|ZPOPMIN @zset 1000|ZREMRANGEBYRANK @zset 1000 150000|ZRANDMEMBER zset 1000|ZRANDMEMBER zset -1000
LRANGE list 99000 100000|LINDEX list 100000|LPOS list none|LREM @list 0 none|LTRIM @list 0 9|LPOP @list 1000
XRANGE stream - + COUNT 1000|XREVRANGE stream + - COUNT 1000|XTRIM @stream MAXLEN 100000|COPY stream to REPLACE
COPY set to REPLACE|COPY zset to REPLACE|COPY list to REPLACE|DEL @set|DEL @zset|MEMORY USAGE zset SAMPLES 0
GEOSEARCH geo FROMLONLAT 13.5 38.5 BYRADIUS 5 km|GEOSEARCH geo FROMLONLAT 13.5 38.5 BYRADIUS 50 km ASC COUNT 10
PFMERGE hll:0 hll:1 hll:2 hll:3 hll:4 hll:5 hll:6 hll:7
EVAL local~s=0~for~i=1,1000000~do~s=s+i~end~return~s 0|EVAL for~i=1,50000~do~redis.call('incr','n')~end 0
`);

for (const name of chosen) await PARTS[name]();
process.exit(0);

async function hundred() {
  for (const side of SIDES) {
    await start(side);
    await loaded(side, hundredLoads());
  }
  for (const command of HUNDRED) {
    const name = command.join(' ');
    if (!only.test(name)) continue;
    const words = command.map((word) => word.replaceAll(/\bR\b/g, '__rand_int__'));
    const seconds = { ref: 0, own: 0 };
    for (let round = 0; round < rounds; round++) {
      for (const side of SIDES) {
        const before = cpuSeconds(running[side]);
        const how = ['-p', SERVERS[side].port, '-q', '-P', 8, '-n', COMMANDS, '-r', KEYS, ...words];
        await run('redis-benchmark', how.map(String), { maxBuffer: 1 << 26 });
        if (round > 0) seconds[side] += cpuSeconds(running[side]) - before;
      }
    }
    const each = (side) => (seconds[side] / (rounds - 1) / COMMANDS) * 1e6;
    show(name, each('ref'), each('own'));
  }
  await end();
}

function hundredLoads() {
  const elements = Array.from({ length: 100 }, (_, i) => i);
  const many = (command, of) => (key) => [command, key, ...elements.flatMap((i) => of(i))];
  const kinds = {
    h: many('HSET', (i) => [`field:${i}`, `value:${i * 7}`]),
    z: many('ZADD', (i) => [(i * 7919) % 1000, `member:${i}`]),
    f: many('ZADD', (i) => [((i * 7919) % 1000) / 7, `member:${i}`]),
    s: many('SADD', (i) => [`member:${i}`]),
    i: many('SADD', (i) => [i * 15]),
    l: many('RPUSH', (i) => [`element:${i * 31}`]),
    n: many('RPUSH', (i) => [(i * 7919) % 1000]),
    g: many('GEOADD', (i) => [13 + i / 200, 38 + ((i * 7) % 100) / 200, `p:${i}`]),
    p: many('PFADD', (i) => [i, i + 1000, i + 2000]),
    t: (key) => ['SET', key, 'x'.repeat(4000)],
  };
  const commands = [];
  for (let k = 0; k < KEYS; k++) {
    const number = String(k).padStart(12, '0');
    for (const [kind, load] of Object.entries(kinds)) commands.push(load(`${kind}:${number}`));
    for (const i of elements) commands.push(['XADD', `x:${number}`, `${i + 1}-1`, 'name', `v${i}`]);
  }
  return commands;
}

async function large() {
  const clients = {};
  for (const side of SIDES) {
    await start(side);
    clients[side] = await loaded(side, largeLoads());
  }
  for (const command of LARGE_COMMANDS) {
    const name = command.join(' ');
    if (!only.test(name)) continue;
    const copied = command.find((word) => word.startsWith('@'))?.slice(1);
    const words = command.map((word) => (word.startsWith('@') ? 'copied' : word));
    const least = {};
    for (const side of SIDES) {
      least[side] = Infinity;
      const until = now() + LARGE_MS;
      for (let i = 0; i < rounds || now() < until; i++) {
        if (copied !== undefined) await clients[side].call('COPY', copied, 'copied', 'REPLACE');
        const before = now();
        await clients[side].call(...words);
        least[side] = Math.min(least[side], now() - before);
      }
    }
    show(name, least.ref, least.own, 3);
  }
  for (const client of Object.values(clients)) client.close();
  await end();
}

function largeLoads() {
  const commands = [];
  const fill = (command, key, of) => {
    for (let from = 0; from < LARGE; from += 1000) {
      const items = Array.from({ length: 1000 }, (_, i) => of(from + i));
      commands.push([command, key, ...items.flat()]);
    }
  };
  const mixed = (i) => Math.imul(i, 0x9e37_79b1) >>> 0;
  fill('RPUSH', 'list', (i) => [`element:${mixed(i)}`]);
  fill('RPUSH', 'nums', (i) => [mixed(i)]);
  fill('SADD', 'set', (i) => [`m:${i}`]);
  fill('SADD', 'set2', (i) => [`m:${i * 2}`]);
  fill('HSET', 'hash', (i) => [`f:${i}`, `value:${i}`]);
  fill('ZADD', 'zset', (i) => [mixed(i) % 1_000_000, `m:${i}`]);
  fill('ZADD', 'zset2', (i) => [mixed(i + 7) % 1_000_000, `m:${i * 2}`]);
  fill('GEOADD', 'geo', (i) => [13 + mixed(i) / 2 ** 32, 38 + mixed(i + 7) / 2 ** 32, `g:${i}`]);
  for (let i = 0; i < LARGE; i++) {
    commands.push(['XADD', 'stream', `${i + 1}-1`, 'f', `v:${i}`], ['SET', `key:${i}`, i]);
  }
  for (const key of LONG) commands.push(['SETRANGE', key, 10_000_000, 'x']);
  for (const [seed, key] of ['text', 'text2'].entries()) {
    const letters = Array.from({ length: 4000 }, (_, i) => 'abcd'[mixed(i + seed * 9999) >>> 30]);
    commands.push(['SET', key, letters.join('')]);
  }
  for (let k = 0; k < 8; k++) {
    commands.push(['PFADD', `hll:${k}`, ...Array.from({ length: 1000 }, (_, i) => k * 700 + i)]);
  }
  return commands;
}

/** A client of a server that has been given these commands. */
async function loaded(side, commands) {
  const client = new Client(SERVERS[side].port);
  await pipelined(client, commands.length, (i) => commands[i]);
  return client;
}

async function end() {
  for (const side of SIDES) await stop(side);
}
