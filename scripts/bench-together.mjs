/**
 * `npm run bench:together [-- --rounds 5 --masters 5 --replicas 1 --killed 2]`: how long until a replica of each serves when
 * several masters end at the same moment, as those of one machine do; ours and redis-server in turns,
 * cluster-node-timeout 1000. Prints the milliseconds of each round, medians and ours/theirs. Environment: as
 * scripts/bench-servers.mjs says (two ports a node, from ten above the first), REDIS_CLI.
 */
import { execFileSync } from 'node:child_process';
import { SERVERS, SIDES, median, options, show, sleep, start, stop } from './bench-servers.mjs';

const NODE_TIMEOUT_MS = 1000;
const SETTLED_MS = 4000;
const GIVEN_UP_MS = 30_000;
const POLL_MS = 10;
const REDIS_CLI = process.env['REDIS_CLI'] ?? 'redis-cli';

const { option } = options();
const rounds = Number(option('rounds', '5'));
const masterCount = Number(option('masters', '5'));
const replicaCount = Number(option('replicas', '1'));
const killedCount = Number(option('killed', '2'));
const nodeCount = masterCount * (replicaCount + 1);
const times = Object.fromEntries(SIDES.map((side) => [side, []]));
for (let round = 0; round < rounds; round++) {
  for (const [index, side] of SIDES.entries()) {
    const first = SERVERS.ref.port + 10 + index * nodeCount;
    const ports = Array.from({ length: nodeCount }, (_, i) => first + i);
    times[side].push(await measure(side, ports));
  }
}
for (const side of SIDES) console.log(`${side}: ${times[side].join(' ')} ms`);
show('until all serve, ms', median(times.ref), median(times.own), 0);

async function measure(side, ports) {
  const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', NODE_TIMEOUT_MS];
  const flags = [...cluster, '--repl-diskless-sync-delay', 0];
  for (const port of ports) await start(side, { port, flags });
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  redisCli(
    '--cluster',
    'create',
    ...addresses,
    '--cluster-replicas',
    replicaCount,
    '--cluster-yes',
  );
  await sleep(SETTLED_MS);
  const masters = ports.filter(isMaster);
  const lost = masters.slice(0, killedCount);
  const heirs = lost.map((port) => replicasOf(port, masters.at(-1)));
  const killedAt = performance.now();
  await Promise.all(lost.map(stop));
  while (!heirs.every((replicas) => replicas.some(isMaster))) {
    if (performance.now() - killedAt > GIVEN_UP_MS) throw new Error(`${side}: not replaced`);
    await sleep(POLL_MS);
  }
  const tookMs = Math.round(performance.now() - killedAt);
  for (const port of ports) if (!lost.includes(port)) await stop(port);
  return tookMs;
}

function isMaster(port) {
  return redisCli('-p', port, 'role').startsWith('master');
}

function replicasOf(port, witness) {
  const id = redisCli('-p', port, 'cluster', 'myid').trim();
  const lines = redisCli('-p', witness, 'cluster', 'replicas', id);
  return [...lines.matchAll(/:(\d+)@/g)].map(([, replica]) => Number(replica));
}

function redisCli(...args) {
  return execFileSync(REDIS_CLI, args.map(String), { encoding: 'utf8' });
}
