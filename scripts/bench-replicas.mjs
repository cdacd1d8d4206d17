/**
 * `npm run bench:replicas [-- --mb 200] [--replicas 2] [--rounds 3]`: what replicas cost a master. They are redis-servers:
 * CPU microseconds of the master per SET at -P 16 while they follow; then they stand still while so many MB are written:
 * memory that it costs the master, in MB, and seconds until all have everything, without a copy. One JSON object a line.
 * Environment: see bench-servers.mjs.
 */
import { execFileSync } from 'node:child_process';
import {
  Client,
  SERVERS,
  SIDES,
  cpuSeconds,
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
  until,
} from './bench-servers.mjs';

const { option } = options();
const mb = Number(option('mb', 200));
const replicas = Number(option('replicas', 2));
const rounds = Number(option('rounds', 3));
const VALUE_BYTES = 2000;
const SETS = 300_000;
const REPLICA_PORT_STEP = 10;
const CATCH_UP_MS_MAX = 60_000;
const MASTER_FLAGS = ['--repl-diskless-sync-delay', '0'];
MASTER_FLAGS.push('--client-output-buffer-limit', 'replica 0 0 0');

const figures = { ref: [], own: [] };
for (let round = 0; round < rounds; round++) {
  for (const side of SIDES) figures[side].push(await measure(side));
}
for (const what of ['setUs', 'extraMb', 'seconds']) {
  const of = (side) => median(figures[side].map((figure) => figure[what]));
  show(`${replicas} replicas: ${what}`, of('ref'), of('own'));
}
process.exit(0);

async function measure(side) {
  const master = await start(side, { flags: MASTER_FLAGS });
  const { port, pid } = master;
  const followers = [];
  for (let i = 0; i < replicas; i++) followers.push(await follower(side, port, i));
  benchmark(port);
  const cpuBefore = cpuSeconds(master);
  benchmark(port);
  const setUs = ((cpuSeconds(master) - cpuBefore) / SETS) * 1e6;
  const writer = new Client(port);
  // The keys are there before; what is written then changes them only.
  const write = (count) =>
    pipelined(writer, count, (i) => ['SET', `key:${i % 100}`, 'x'.repeat(VALUE_BYTES)]);
  await write(5000);
  await sleep(1000);
  const before = memoryOf(pid);
  for (const { child } of followers) child.kill('SIGSTOP');
  await write(Math.ceil((mb * 1e6) / VALUE_BYTES));
  const extraMb = (memoryOf(pid) - before) / 1e6;
  const offset = await offsetOf(port, 'master_repl_offset');
  const began = now();
  for (const { child } of followers) child.kill('SIGCONT');
  for (const each of followers) {
    const hasAll = async () => (await offsetOf(each.port, 'slave_repl_offset')) >= offset;
    await until(hasAll, CATCH_UP_MS_MAX, 'the replica has all');
  }
  const seconds = (now() - began) / 1000;
  writer.close();
  for (const each of followers) await stop(each.port);
  await stop(side);
  return { setUs, extraMb, seconds };
}

/** Run twice: what a process costs before its code is compiled is another matter. */
function benchmark(port) {
  const load = ['-n', SETS, '-c', 50, '-P', 16, '-d', 32, '-r', 100_000, '-t', 'set', '-q'];
  execFileSync('redis-benchmark', ['-p', port, ...load].map(String));
}

async function offsetOf(port, name) {
  const info = String(await once(port, 'INFO', 'replication'));
  return Number(new RegExp(`${name}:(\\d+)`).exec(info)[1]);
}

async function follower(side, masterPort, index) {
  const port = SERVERS.own.port + REPLICA_PORT_STEP + index;
  const server = await start('ref', { port, flags: ['--replicaof', '127.0.0.1', masterPort] });
  await infoSays(port, 'replication', /master_link_status:up/);
  return server;
}
