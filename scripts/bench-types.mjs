/**
 * `npm run bench:types [-- throughput|memory|queries|deletion|loading...] [--rounds 5] [--n 300000] [--only TEST,...]`:
 * what the container types cost beside the redis-server of this machine in one run, as ratios ours/theirs. Prints one
 * JSON object a line. Environment: MEASURE_DIR (default ../shared/measure), SERVER (default our build), REF (redis-server).
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  Client,
  SERVERS,
  SIDES,
  chosenOf,
  cpuSeconds,
  median,
  now,
  options,
  pipelined,
  rss,
  running,
  show,
  sleep,
  start,
  stop,
} from './bench-servers.mjs';

const { option, rest } = options();
const rounds = Number(option('rounds', 5));
const count = Number(option('n', 300_000));
const only = option('only', '');
const PARTS = { throughput, memory, queries, deletion, loading };
const chosen = chosenOf(PARTS, rest());

for (const name of chosen) await PARTS[name]();
process.exit(0);

function isWanted(name) {
  return only === '' || only.split(',').includes(name);
}

/** CPU microseconds per command, for every test of redis-benchmark that changes or reads containers. */
async function throughput() {
  const tests = ['lpush', 'rpush', 'lpop', 'rpop', 'sadd', 'hset', 'spop', 'zadd', 'zpopmin'];
  const ranges = ['lrange_100', 'lrange_300', 'lrange_500', 'lrange_600'];
  for (const side of SIDES) await start(side);
  for (const pipeline of [16, 1]) {
    for (const test of [...tests, 'mset', 'xadd', ...ranges]) {
      if (isWanted(test)) await throughputOf(test, pipeline);
    }
  }
  for (const side of SIDES) await stop(side);
}

async function throughputOf(test, pipeline) {
  const isRange = test.startsWith('lrange');
  const commands = Math.min(count, isRange ? 20_000 : pipeline === 1 ? 100_000 : count);
  const cost = { ref: [], own: [] };
  for (let round = 0; round < rounds; round++) {
    for (const side of SIDES) {
      await prepare(side, test, commands);
      const before = cpuSeconds(running[side]);
      benchmark(side, test, pipeline, commands);
      cost[side].push(((cpuSeconds(running[side]) - before) / commands) * 1e6);
    }
  }
  show(`${test} P${pipeline}`, median(cost.ref), median(cost.own));
}

/** XADD is not among redis-benchmark's own tests of 7.0; the others are. */
function benchmark(side, test, pipeline, commands) {
  const custom = test === 'xadd' ? ['XADD', 'mystream', '*', 'field', 'value:__rand_int__'] : [];
  const flags = ['-p', SERVERS[side].port, '-n', commands, '-c', 50, '-P', pipeline, '-d', 32];
  const what = custom.length > 0 ? custom : ['-t', test];
  const range =
    test === 'mset' || custom.length > 0 || !test.startsWith('l') ? ['-r', 100_000] : [];
  execFileSync('redis-benchmark', [...flags, ...range, '-q', ...what].map(String), {
    stdio: 'ignore',
  });
}

/** What pops or reads must find something; what grows must not grow for ever. */
async function prepare(side, test, commands) {
  const client = new Client(SERVERS[side].port);
  await client.call('FLUSHALL');
  // What was there is freed bit by bit, which is no cost of the test.
  await sleep(500);
  const fill = {
    lpop: (i) => ['RPUSH', 'mylist', `value:${i}`],
    rpop: (i) => ['RPUSH', 'mylist', `value:${i}`],
    spop: (i) => ['SADD', 'myset', `element:${String(i).padStart(12, '0')}`],
    zpopmin: (i) => ['ZADD', 'myzset', (i * 7919) % commands, `element:${i}`],
  }[test];
  if (fill !== undefined) await pipelined(client, commands, fill);
  client.close();
}

/** Resident bytes per element of shapes that the common yardstick does not have. */
async function memory() {
  const total = 500_000;
  const shapes = {
    biglist: [total, (i) => ['RPUSH', `l:${i % 10}`, `element:${i}`]],
    list10: [
      total / 10,
      (i) => ['RPUSH', `l:${i}`, ...Array.from({ length: 10 }, (_, j) => `element${j}`)],
    ],
    bigstream: [total, (i) => ['XADD', `x:${i % 10}`, '*', 'sensor', i % 97, 'value', i]],
    stream10: [total, (i) => ['XADD', `x:${i % (total / 10)}`, '*', 'field', `value:${i}`]],
    pending: [total, (i) => ['XADD', 'p', '*', 'f', i], ['XREADGROUP', 'g', 'c']],
    intset: [total, (i) => ['SADD', `s:${Math.floor(i / 100)}`, i]],
  };
  for (const [name, [elements, command, group]] of Object.entries(shapes)) {
    if (!isWanted(name)) continue;
    const bytes = {};
    for (const side of SIDES) {
      const server = await start(side);
      await sleep(300);
      const before = rss(server.pid);
      const client = new Client(server.port);
      if (group !== undefined) await client.call('XGROUP', 'CREATE', 'p', 'g', '$', 'MKSTREAM');
      await pipelined(client, elements, command);
      const read = ['XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 1000, 'STREAMS', 'p', '>'];
      if (group !== undefined) await pipelined(client, elements / 1000, () => read);
      client.close();
      await sleep(1500);
      bytes[side] = (rss(server.pid) - before) / elements;
      await stop(side);
    }
    show(`memory ${name}`, bytes.ref, bytes.own, 0);
  }
}

/** CPU microseconds per query in containers of a million elements. */
async function queries() {
  const million = 1_000_000;
  const any = (i) => (i * 7_368_787) % million;
  const loads = [
    (i) => ['ZADD', 'z', any(i), `m:${any(i)}`],
    (i) => ['RPUSH', 'l', `element:${i}`],
    (i) => ['XADD', 'x', `${i + 1}-0`, 'field', `value:${i}`],
    (i) => ['SADD', 's', `member:${i}`],
    (i) => ['HSET', 'h', `field:${i}`, `value:${i}`],
  ];
  const asked = {
    zrange: (i) => ['ZRANGE', 'z', any(i), any(i) + 9],
    zrank: (i) => ['ZRANK', 'z', `m:${any(i)}`],
    zscore: (i) => ['ZSCORE', 'z', `m:${any(i)}`],
    zrangebyscore: (i) => ['ZRANGEBYSCORE', 'z', any(i), '+inf', 'LIMIT', 0, 10],
    zcount: (i) => ['ZCOUNT', 'z', any(i), million],
    zincrby: (i) => ['ZINCRBY', 'z', 1000, `m:${any(i)}`],
    lindex: (i) => ['LINDEX', 'l', any(i)],
    lrange: (i) => ['LRANGE', 'l', any(i), any(i) + 9],
    lset: (i) => ['LSET', 'l', any(i), 'other'],
    xrange: (i) => ['XRANGE', 'x', `${any(i) + 1}-0`, '+', 'COUNT', 10],
    xrevrange: (i) => ['XREVRANGE', 'x', `${any(i) + 1}-0`, '-', 'COUNT', 10],
    sismember: (i) => ['SISMEMBER', 's', `member:${any(i)}`],
    srandmember: () => ['SRANDMEMBER', 's', 10],
    hget: (i) => ['HGET', 'h', `field:${any(i)}`],
    hscan: () => ['HSCAN', 'h', 0, 'COUNT', 100],
  };
  const clients = {};
  for (const side of SIDES) {
    await start(side);
    clients[side] = new Client(SERVERS[side].port);
    for (const load of loads) await pipelined(clients[side], million, load);
  }
  for (const [name, command] of Object.entries(asked)) {
    if (!isWanted(name)) continue;
    const slow = name.startsWith('l');
    const commands = slow ? 20_000 : 100_000;
    const cost = { ref: [], own: [] };
    for (let round = 0; round < rounds; round++) {
      for (const side of SIDES) {
        const before = cpuSeconds(running[side]);
        await pipelined(clients[side], commands, (i) => command(i + round * commands));
        cost[side].push(((cpuSeconds(running[side]) - before) / commands) * 1e6);
      }
    }
    show(`query ${name}`, median(cost.ref), median(cost.own));
  }
  for (const side of SIDES) {
    clients[side].close();
    await stop(side);
  }
}

/** Longest wait of a PING, in milliseconds, while `work` runs; the waiting is done by a process of its own. */
async function longestPause(port, work) {
  const pinger = new Client(port);
  await pinger.call('PING');
  let isOver = false;
  let longest = 0;
  const pinging = (async () => {
    while (!isOver) {
      const before = now();
      await pinger.call('PING');
      longest = Math.max(longest, now() - before);
    }
  })();
  await work();
  isOver = true;
  await pinging;
  pinger.close();
  return longest;
}

/** How long the server stands still, by its own LATENCY, when a container of ten million elements is deleted. */
async function deletion() {
  const total = 10_000_000;
  const batch = 1000;
  const shapes = {
    set: (i) => ['SADD', 'k', ...numbers(i, (j) => `m:${j}`)],
    list: (i) => ['RPUSH', 'k', ...numbers(i, (j) => `e:${j}`)],
    hash: (i) => ['HSET', 'k', ...numbers(i, (j) => [`f:${j}`, j]).flat()],
    zset: (i) => ['ZADD', 'k', ...numbers(i, (j) => [j, `m:${j}`]).flat()],
  };
  const numbers = (i, make) => Array.from({ length: batch }, (_, j) => make(i * batch + j));
  for (const [name, command] of Object.entries(shapes)) {
    if (!isWanted(name)) continue;
    const took = {};
    for (const side of SIDES) {
      const { port } = await start(side);
      const client = new Client(port);
      for (let i = 0; i < total / batch; i += 20) {
        await client.pipeline(Array.from({ length: 20 }, (_, j) => command(i + j)));
      }
      await client.call('SLOWLOG', 'RESET');
      await client.call('CONFIG', 'SET', 'slowlog-log-slower-than', 0);
      took[side] = await longestPause(port, async () => {
        await client.call('DEL', 'k');
        await sleep(3000);
      });
      client.close();
      await stop(side);
    }
    show(`deletion ${name}, longest wait in ms`, took.ref, took.own);
  }
}

/** Longest wait of a PING while ten million keys are loaded by another process. */
async function loading() {
  const keys = 10_000_000;
  const took = {};
  for (const side of SIDES) {
    const { port } = await start(side);
    took[side] = await longestPause(port, async () => {
      const flags = ['-p', port, '-n', keys, '-r', keys, '-P', 16, '-c', 10, '-t', 'set', '-q'];
      const child = spawn('redis-benchmark', flags.map(String), { stdio: 'ignore' });
      await new Promise((resolve) => void child.once('exit', resolve));
    });
    await stop(side);
  }
  show('loading ten million keys, longest wait in ms', took.ref, took.own);
}
