/**
 * `npm run bench:copies [-- bgsave|aofrw|sync...] [--keys 2000000] [--rounds 3]`: what clients feel while a copy of all data
 * is made, in milliseconds, and how much more memory it takes at most, in MB, beside the redis-server of this machine in
 * one run. One client reads and writes one command after the other, another writes 5000 a second. Prints one JSON object a
 * line: both sides and the ratio ours/theirs.
 * Environment: see bench-servers.mjs.
 */
import {
  Client,
  SIDES,
  chosenOf,
  infoSays,
  median,
  memoryOf,
  now,
  once,
  options,
  pipelined,
  show,
  sleep,
  start,
  stop,
} from './bench-servers.mjs';

const { option, rest } = options();
const keys = Number(option('keys', 2_000_000));
const rounds = Number(option('rounds', 3));
const REPLICA_PORT_STEP = 10;
const COPIES = {
  bgsave: async (port) => {
    await once(port, 'BGSAVE');
    await infoSays(port, 'persistence', /rdb_bgsave_in_progress:0/);
  },
  aofrw: async (port) => {
    await once(port, 'BGREWRITEAOF');
    await infoSays(port, 'persistence', /aof_rewrite_in_progress:0/);
  },
  sync: async (port) => {
    await once(port + REPLICA_PORT_STEP, 'REPLICAOF', '127.0.0.1', port);
    await infoSays(port + REPLICA_PORT_STEP, 'replication', /master_link_status:up/);
  },
};
for (const name of chosenOf(COPIES, rest())) {
  const figures = { ref: [], own: [] };
  for (let round = 0; round < rounds; round++) {
    for (const side of SIDES) figures[side].push(await measure(side, name));
  }
  for (const what of ['seconds', 'p50', 'p99', 'longest']) {
    const of = (side) => median(figures[side].map((figure) => figure[what]));
    show(`${name} ${what}`, of('ref'), of('own'));
  }
  // To look at the memory of a process makes it wait, so this is a round of its own.
  const extra = { ref: 0, own: 0 };
  for (const side of SIDES) extra[side] = (await measure(side, name, memoryOf)).extraMb;
  show(`${name} extraMb`, extra.ref, extra.own);
}
process.exit(0);

async function measure(side, name, memory = () => 0) {
  const server = await start(side, { flags: name === 'aofrw' ? ['--appendonly', 'yes'] : [] });
  const { port, pid } = server;
  if (name === 'sync') await start(side, { port: port + REPLICA_PORT_STEP });
  const filler = new Client(port);
  await pipelined(filler, keys, (i) => ['SET', `key:${i}`, 'x'.repeat(32)]);
  filler.close();
  const load = startLoad(port);
  await sleep(2000);
  load.waits.length = 0;
  const before = memory(pid);
  let peak = before;
  const sampler = setInterval(() => (peak = Math.max(peak, memory(pid))), 100);
  const began = now();
  await COPIES[name](port);
  const seconds = (now() - began) / 1000;
  clearInterval(sampler);
  await load.stop();
  const sorted = load.waits.toSorted((a, b) => a - b);
  if (name === 'sync') await stop(port + REPLICA_PORT_STEP);
  await stop(side);
  return {
    seconds,
    p50: sorted[sorted.length >> 1],
    p99: sorted[Math.floor(sorted.length * 0.99)],
    longest: sorted.at(-1),
    extraMb: (peak - before) / 1e6,
  };
}

/** Clients that go on until `stop`; `waits` are the times of the one that waits for each reply, in milliseconds. */
function startLoad(port) {
  const waits = [];
  let isOver = false;
  const asker = new Client(port);
  const writer = new Client(port);
  const any = (i) => `key:${(i * 7919) % keys}`;
  const asking = (async () => {
    for (let i = 0; !isOver; i++) {
      const sent = now();
      await (i % 2 === 0 ? asker.call('GET', any(i)) : asker.call('SET', any(i), 'y'.repeat(32)));
      waits.push(now() - sent);
    }
  })();
  const writing = (async () => {
    for (let i = 0; !isOver; i += 50) {
      const batch = Array.from({ length: 50 }, (_, j) => ['SET', any(3 * (i + j)), 'z'.repeat(32)]);
      await Promise.all([writer.pipeline(batch), sleep(10)]);
    }
  })();
  const stopLoad = async () => {
    isOver = true;
    await Promise.all([asking, writing]);
    asker.close();
    writer.close();
  };
  return { waits, stop: stopLoad };
}
