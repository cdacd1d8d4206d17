/**
 * `npm run bench:together [-- --rounds 5]`: how long until both replicas serve when two masters of five end at the same
 * moment, as those of one machine do; ours and redis-server in turns, cluster-node-timeout 1000. Prints the milliseconds
 * of each round, medians and ours/theirs. Environment: as scripts/bench-servers.mjs says (twenty ports), REDIS_CLI.
 */
import { execFileSync } from 'node:child_process';
import { SERVERS, SIDES, median, options, show, sleep, start, stop } from './bench-servers.mjs';

const MASTERS = 5;
const KILLED = 2;
const NODE_TIMEOUT_MS = 1000;
const SETTLED_MS = 4000;
const GIVEN_UP_MS = 30_000;
const POLL_MS = 10;
const REDIS_CLI = process.env['REDIS_CLI'] ?? 'redis-cli';

const rounds = Number(options().option('rounds', '5'));
const times = Object.fromEntries(SIDES.map((side) => [side, []]));
for (let round = 0; round < rounds; round++) {
  for (const [index, side] of SIDES.entries()) {
    const first = SERVERS.ref.port + 10 + index * MASTERS * 2;
    const ports = Array.from({ length: MASTERS * 2 }, (_, i) => first + i);
    times[side].push(await measure(side, ports));
  }
}
for (const side of SIDES) console.log(`${side}: ${times[side].join(' ')} ms`);
show('two masters at once, ms', median(times.ref), median(times.own), 0);

async function measure(side, ports) {
  const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', NODE_TIMEOUT_MS];
  const flags = [...cluster, '--repl-diskless-sync-delay', 0];
  for (const port of ports) await start(side, { port, flags });
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  redisCli('--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes');
  await sleep(SETTLED_MS);
  const masters = ports.filter(isMaster);
  const lost = masters.slice(0, KILLED);
  const heirs = lost.map((port) => replicaOf(port, masters.at(-1)));
  const killedAt = performance.now();
  await Promise.all(lost.map(stop));
  while (!heirs.every(isMaster)) {
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

function replicaOf(port, witness) {
  const id = redisCli('-p', port, 'cluster', 'myid').trim();
  return Number(/:(\d+)@/.exec(redisCli('-p', witness, 'cluster', 'replicas', id))[1]);
}

function redisCli(...args) {
  return execFileSync(REDIS_CLI, args.map(String), { encoding: 'utf8' });
}
