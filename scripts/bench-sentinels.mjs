/**
 * `npm run bench:sentinels [-- --rounds 2 --seconds 20 --warm 60 --masters 100 --sentinels 5 --port 21000]`: what Sentinels
 * that watch many masters cost in CPU and memory, ours and redis-sentinel in turns over the same redis-servers. Prints one
 * JSON object a round, and the ratios ours/theirs. Environment: SERVER (default our build), REF (redis-sentinel).
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ROOT } from './project.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '20' },
    warm: { type: 'string', default: '60' },
    masters: { type: 'string', default: '100' },
    sentinels: { type: 'string', default: '5' },
    port: { type: 'string', default: '21000' },
    only: { type: 'string', default: '' },
  },
});
const masterCount = Number(values.masters);
const sentinelCount = Number(values.sentinels);
const firstPort = Number(values.port);
const firstSentinelPort = firstPort + masterCount;
const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'latin1' }));
const SIDES = {
  own: process.env['SERVER'] ?? join(ROOT, 'dist/bin/slotline-sentinel.js'),
  ref: process.env['REF'] ?? 'redis-sentinel',
};
const KNOWN_MS_MAX = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'slotline-sentinels-'));
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

for (let i = 0; i < masterCount; i++) {
  const flags = ['--port', firstPort + i, '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  start('redis-server', flags.map(String), folder);
}
await sleep(3000);
const sums = { own: [], ref: [] };
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const side of Object.keys(SIDES)) {
    if (values.only !== '' && values.only !== side) continue;
    const result = await measure(side);
    sums[side].push(result);
    console.log(JSON.stringify({ round, side, ...result }));
  }
}
for (const what of ['cpuPercent', 'residentMb']) {
  const [own, ref] = [sums.own, sums.ref].map((list) => median(list.map((one) => one[what])));
  console.log(JSON.stringify({ what, own, ref, ratio: Number((own / ref).toFixed(2)) }));
}
process.exit(0);

/** CPU of all Sentinels together, percent of a core, and resident memory of one. */
async function measure(side) {
  const children = [];
  for (let i = 0; i < sentinelCount; i++) {
    const dir = join(folder, `${side}${i}`);
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir);
    const lines = [`port ${firstSentinelPort + i}`, 'bind 127.0.0.1', 'logfile log'];
    for (let master = 0; master < masterCount; master++) {
      lines.push(`sentinel monitor m${master} 127.0.0.1 ${firstPort + master} 3`);
    }
    writeFileSync(join(dir, 'sentinel.conf'), `${lines.join('\n')}\n`);
    children.push(start(SIDES[side], ['sentinel.conf'], dir));
  }
  await untilKnown();
  await sleep(Number(values.warm) * 1000);
  const before = children.map(({ pid }) => ticksOf(pid));
  const began = performance.now();
  await sleep(Number(values.seconds) * 1000);
  const seconds = (performance.now() - began) / 1000;
  const after = children.map(({ pid }) => ticksOf(pid));
  const total = (which) =>
    after.reduce((sum, ticks, i) => sum + ticks[which] - before[i][which], 0);
  const resident = median(children.map(({ pid }) => residentMbOf(pid)));
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(children.map((child) => new Promise((done) => child.once('exit', done))));
  const percent = (ticks) => Number(((ticks / TICKS_A_SECOND / seconds) * 100).toFixed(2));
  return {
    cpuPercent: percent(total('user') + total('system')),
    userPercent: percent(total('user')),
    systemPercent: percent(total('system')),
    residentMb: resident,
  };
}

/** Waits until every Sentinel knows every other one for every master. */
async function untilKnown() {
  const deadline = performance.now() + KNOWN_MS_MAX;
  for (let i = 0; i < sentinelCount; i++) {
    for (;;) {
      const info = await ask(firstSentinelPort + i, 'INFO sentinel');
      const whole = info.split(`sentinels=${sentinelCount}`).length - 1;
      if (whole === masterCount) break;
      if (performance.now() > deadline) throw new Error(`only ${whole} masters are known`);
      await sleep(200);
    }
  }
}

function ask(port, command) {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('error', () => done(''));
    socket.on('close', () => done(text));
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
    });
    socket.end(`${command}\r\nQUIT\r\n`);
  });
}

function start(exe, args, cwd) {
  const child = spawn(exe, args, { cwd, stdio: 'ignore' });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

function ticksOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return { user: Number(fields[11]), system: Number(fields[12]) };
}

function residentMbOf(pid) {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Math.round(Number(line[1]) / 1024);
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
