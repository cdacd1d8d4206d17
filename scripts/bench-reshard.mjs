/**
 * `npm run bench:reshard [-- --keys 1000000] [--slots 4000] [--rounds 1] [--tools ours,redis-cli-10,redis-cli-1000]
 * [--servers redis|slotline]`: how long a resharding takes with `slotline cluster reshard` and with redis-cli, whose
 * number is its pipeline, on four masters of the redis-server of this machine or of our own; `ours-atomic` lets our
 * own hand slots over as a whole. Slots go from three of them to the fourth, and back again before the next turn. A
 * writer that follows redirections goes on meanwhile. Prints one JSON object a line: seconds, the CPU seconds of all
 * servers and of the tool, keys moved, and the writer's milliseconds. Ends with status 1 when a key is missing.
 * Environment: REF (default redis-server), REDIS_CLI (default redis-cli).
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ROOT } from './project.mjs';

const { keySlot } = await import(join(ROOT, 'dist/base/index.js'));
const { ClusterClient, RespClient } = await import(join(ROOT, 'dist/client/index.js'));

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    slots: { type: 'string', default: '4000' },
    rounds: { type: 'string', default: '1' },
    servers: { type: 'string', default: 'redis' },
    tools: { type: 'string', default: 'ours,redis-cli-10,ours,redis-cli-1000' },
  },
});
const keyCount = Number(values.keys);
const slotCount = Number(values.slots);
const SLOTLINE = join(ROOT, 'dist/bin/slotline.js');
const SERVER = process.env['REF'] ?? 'redis-server';
const REDIS_CLI = process.env['REDIS_CLI'] ?? 'redis-cli';
const HOST = '127.0.0.1';
const PORTS = [21_921, 21_922, 21_923, 21_924];
const AT_ONCE = 10_000;
const TICKS_PER_SECOND = 100;
const TIMEOUT_MS = 60_000;

const dir = mkdtempSync(join(tmpdir(), 'slotline-bench-'));
const servers = PORTS.map((port) => {
  const cluster = ['--cluster-enabled', 'yes', '--cluster-config-file', `nodes-${port}.conf`];
  const flags = ['--port', port, '--bind', HOST, '--save', '', '--dir', dir, ...cluster];
  if (values.servers === 'redis') return spawn(SERVER, flags.map(String), { stdio: 'ignore' });
  const program = join(ROOT, 'dist/bin/slotline-server.js');
  return spawn('node', [program, ...flags.map(String)], { stdio: 'ignore' });
});
process.on('exit', () => {
  for (const server of servers) server.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

await untilAnswering();
redisCli('--cluster', 'create', ...PORTS.map(at), '--cluster-yes');
const clients = await Promise.all(
  PORTS.map((port) => RespClient.connect({ host: HOST, port, timeoutMs: TIMEOUT_MS })),
);
const ids = await Promise.all(
  clients.map(async (client) => String(await client.call('CLUSTER', 'MYID'))),
);
while (!(await isServing())) await pause(100);
await fill();
for (let round = 0; round < Number(values.rounds); round++) {
  for (const tool of values.tools.split(',')) await measure(tool);
}
redisCli('--cluster', 'check', at(PORTS[0]));
process.exit(0);

async function measure(tool) {
  const before = await sizes();
  const writer = startWriter();
  const result = await run(...commandOf(tool));
  const waits = await writer();
  const after = await sizes();
  const moved = after[0] - before[0];
  const keysPerSecond = Math.round(moved / result.seconds);
  console.log(JSON.stringify({ tool, ...result, moved, keysPerSecond, ...waits, load: load() }));
  if (after.reduce((sum, size) => sum + size, 0) !== keyCount) {
    console.error(
      `bench: ${after.join(' + ')} keys instead of ${keyCount}, ${before.join(' + ')} before`,
    );
    process.exit(1);
  }
  for (const [index, id] of ids.slice(1).entries()) {
    const share = Math.floor(slotCount / 3) + (index < slotCount % 3 ? 1 : 0);
    await run(...reshard(ids[0], id, share));
  }
}

function commandOf(tool) {
  if (tool === 'ours') return [...reshard('all', ids[0], slotCount), '--no-atomic'];
  if (tool === 'ours-atomic') return reshard('all', ids[0], slotCount);
  const pipeline = tool.replace('redis-cli-', '');
  const flags = { from: 'all', to: ids[0], slots: slotCount, pipeline };
  const words = Object.entries(flags).flatMap(([name, value]) => [`--cluster-${name}`, value]);
  return [REDIS_CLI, '--cluster', 'reshard', at(PORTS[1]), ...words, '--cluster-yes'];
}

function reshard(from, to, slots) {
  const ends = ['--from', from, '--to', to, '--slots', slots];
  return ['node', SLOTLINE, 'cluster', 'reshard', at(PORTS[1]), ...ends, '--yes'];
}

/** Seconds of a program, of its CPU and of that of all servers. */
async function run(program, ...args) {
  const cpuBefore = servers.map(({ pid }) => cpuOf(`/proc/${pid}/stat`));
  const toolBefore = childrenCpu();
  const startedMs = performance.now();
  const child = spawn(program, args.map(String), { stdio: 'ignore' });
  const status = await new Promise((resolve) => child.once('exit', resolve));
  const seconds = round((performance.now() - startedMs) / 1000);
  if (status !== 0) {
    console.error(`bench: ${program} ${args.join(' ')} ended with status ${status}`);
    process.exit(1);
  }
  const each = servers.map(({ pid }, index) => cpuOf(`/proc/${pid}/stat`) - cpuBefore[index]);
  const serverCpu = round(each.reduce((sum, cpu) => sum + cpu, 0));
  return { seconds, serverCpu, toolCpu: round(childrenCpu() - toolBefore) };
}

/** Writes until it is asked how it was. */
function startWriter() {
  const waits = [];
  let errors = 0;
  let isStopped = false;
  const writing = write();
  return async () => {
    isStopped = true;
    await writing;
    waits.sort((a, b) => a - b);
    const part = (share) => round(waits[Math.floor((waits.length - 1) * share)]);
    return { writes: waits.length, errors, p50: part(0.5), p99: part(0.99), longest: part(1) };
  };

  async function write() {
    const seeds = [{ host: HOST, port: PORTS[1] }];
    const client = await ClusterClient.connect({ seeds, timeoutMs: TIMEOUT_MS });
    for (let n = 0; !isStopped; n++) {
      const key = `key:${(n * 7919) % keyCount}`;
      const startedMs = performance.now();
      try {
        await client.call(key, 'SET', key, value());
      } catch (error) {
        errors++;
        console.error(`bench: the writer met ${error.message}`);
      }
      waits.push(performance.now() - startedMs);
      await pause(0);
    }
    client.close();
  }
}

async function isServing() {
  const infos = await Promise.all(clients.map((client) => client.call('CLUSTER', 'INFO')));
  return infos.every((info) => String(info).includes('cluster_state:ok'));
}

async function fill() {
  for (let from = 0; from < keyCount; from += AT_ONCE) {
    const lots = PORTS.map(() => []);
    for (let n = from; n < Math.min(keyCount, from + AT_ONCE); n++) {
      const key = `key:${n}`;
      const slot = keySlot(Buffer.from(key), 0, key.length);
      lots[Math.min(3, slot >> 12)].push(['SET', key, value()]);
    }
    const replies = await Promise.all(lots.map((lot, index) => clients[index].pipeline(lot)));
    const refusal = replies.flat().find((reply) => reply !== 'OK');
    if (refusal !== undefined) throw new Error(`cannot fill the servers: ${refusal}`);
  }
}

/** A hundred bytes that compression finds little in. */
function value() {
  let text = '';
  while (text.length < 100) text += Math.random().toString(36).slice(2);
  return text.slice(0, 100);
}

function sizes() {
  return Promise.all(clients.map(async (client) => Number(await client.call('DBSIZE'))));
}

async function untilAnswering() {
  for (const port of PORTS) {
    for (let tries = 0; ; tries++) {
      try {
        (await RespClient.connect({ host: HOST, port, timeoutMs: TIMEOUT_MS })).close();
        break;
      } catch (error) {
        if (tries > 100) throw error;
        await pause(100);
      }
    }
  }
}

function redisCli(...args) {
  return execFileSync(REDIS_CLI, args, { encoding: 'utf8' });
}

/** User and system time of a process. */
function cpuOf(path) {
  const fields = statOf(path);
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** User and system time of children of ours that have ended. */
function childrenCpu() {
  const fields = statOf('/proc/self/stat');
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

function statOf(path) {
  return readFileSync(path, 'utf8').split(') ')[1].split(' ');
}

function load() {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
}

function round(value) {
  return Number(value.toFixed(2));
}

function at(port) {
  return `${HOST}:${port}`;
}
