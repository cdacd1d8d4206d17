/**
 * What measurements beside redis-server share: both servers started and ended, their cost, and how results are shown.
 * Environment: MEASURE_DIR (default ../shared/measure), SERVER (default our build), REF (default redis-server), BENCH_PORT (the
 * first port, default 17911).
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './project.mjs';

const measure = resolve(ROOT, process.env['MEASURE_DIR'] ?? '../shared/measure');
if (!existsSync(measure)) {
  console.error(`bench: no folder ${measure}: set MEASURE_DIR to the measuring scripts`);
  process.exit(2);
}
export const { Client, cpu, now, once, rss, sleep, until, waitPing } = await import(
  pathToFileURL(join(measure, 'lib.mjs')).href
);

const basePort = Number(process.env['BENCH_PORT'] ?? 17_911);
export const SERVERS = {
  ref: { exe: process.env['REF'] ?? 'redis-server', port: basePort },
  own: {
    exe: process.env['SERVER'] ?? join(ROOT, 'dist/bin/slotline-server.js'),
    port: basePort + 1,
  },
};
export const SIDES = Object.keys(SERVERS);
const INFO_MS_MAX = 300_000;
export const running = {};
process.on('exit', () => {
  for (const { child } of Object.values(running)) child.kill('SIGKILL');
});

/** The command line: options are taken out of it one by one, `rest()` is what is left. */
export function options() {
  const given = process.argv.slice(2);
  const option = (name, usual) => {
    const at = given.indexOf(`--${name}`);
    return at < 0 ? usual : given.splice(at, 2)[1];
  };
  return { option, rest: () => given };
}

/** The parts that the rest of the command line names, all without one; ends the program where there is no such part. */
export function chosenOf(parts, given) {
  const wrong = given.filter((name) => !(name in parts));
  if (wrong.length === 0) return given.length === 0 ? Object.keys(parts) : given;
  console.error(`bench: no part ${wrong.join(', ')}: there are ${Object.keys(parts).join(', ')}`);
  return process.exit(2);
}

/** A server of one side; several of it have a `port` each. */
export async function start(side, { port = SERVERS[side].port, flags = [] } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'slotline-bench-'));
  const usual = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', dir];
  const all = [...usual, ...flags, '--logfile', join(dir, 'log')].map(String);
  const child = spawn(SERVERS[side].exe, all, { stdio: 'ignore' });
  const key = port === SERVERS[side].port ? side : port;
  running[key] = { child, dir, port, pid: child.pid };
  await waitPing(port);
  return running[key];
}

export async function stop(key) {
  const { child, dir } = running[key];
  delete running[key];
  // To give back much memory takes the system a while, and the port is taken until then.
  const ended = new Promise((resolve) => void child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  rmSync(dir, { recursive: true, force: true });
}

export function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

export function cpuSeconds({ pid }) {
  const { user, sys } = cpu(pid);
  return user + sys;
}

/** One line: both figures and ours divided by theirs. */
export function show(name, ref, own, digits = 2) {
  const round = (value) => Number(value.toFixed(digits));
  const ratio = Number((own / ref).toFixed(2));
  console.log(JSON.stringify({ name, ref: round(ref), own: round(own), ratio }));
}

/** `total` commands in batches; the first error among the replies is thrown. */
export async function pipelined(client, total, command) {
  for (let i = 0; i < total; i += 1000) {
    const list = [];
    for (let j = i; j < Math.min(i + 1000, total); j++) list.push(command(j));
    for (const reply of await client.pipeline(list)) if (reply instanceof Error) throw reply;
  }
}

/** Waits until a section of INFO matches. */
export function infoSays(port, section, pattern) {
  const says = async () => pattern.test(String(await once(port, 'INFO', section)));
  return until(says, INFO_MS_MAX, String(pattern));
}

/** Bytes of a process and its children, each page shared between them counted once. */
export function memoryOf(pid) {
  const children = execFileSync('sh', ['-c', `pgrep -P ${pid} || true`], { encoding: 'utf8' });
  const pids = [pid, ...children.trim().split('\n').filter(Boolean)];
  return pids.reduce((sum, each) => sum + proportionalBytes(each), 0);
}

function proportionalBytes(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    return Number(/^Pss:\s+(\d+)/m.exec(text)[1]) * 1024;
  } catch {
    // A child may end between two looks.
    return 0;
  }
}
