/**
 * Goal: what a stranger does first works: `slotline up` gives a cluster that survives a kill -9 and a restart.
 * Method: the program as it is installed, on free ports and in an empty folder; the nodes are asked over the wire.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePortsInARow } from './harness/node-process.ts';
import { OUR_SERVER, SLOTLINE } from './harness/programs.ts';
import { RespConnection } from './harness/resp-connection.ts';
import { GiveUp, until } from './harness/until.ts';

const UP_BOUND_MS = 20_000;
const FAILOVER_BOUND_MS = 20_000;
const NODE_COUNT = 6;

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

const started = new Set<ChildProcess>();
let dir: string;
let port: number;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'slotline-up-'));
  port = await freePortsInARow(NODE_COUNT);
});
afterAll(async () => {
  for (const child of started) child.kill('SIGTERM');
  await until(() => started.size === 0, UP_BOUND_MS, 'everything that was started ended');
  rmSync(dir, { recursive: true, force: true });
});

test('slotline up: a cluster at once, a failover after kill -9, the same cluster after a restart', async () => {
  const first = up();
  await untilOk(first);
  const ids = await nodeIds();
  expect(ids.length).toBe(NODE_COUNT);
  await setThrough('greeting', 'hello');

  const victim = await RespConnection.open(port);
  const victimId = await victim.text('CLUSTER', 'MYID');
  const server = await victim.text('INFO', 'server');
  const pid = Number(/^process_id:(\d+)/m.exec(server)?.[1]);
  const configFile = /^config_file:(\S+)/m.exec(server)?.[1] ?? '';
  victim.close();
  process.kill(pid, 'SIGKILL');
  await until(
    () => {
      // What it said last tells why nobody answers.
      if (first.child.exitCode !== null) throw new GiveUp(first.output());
      return isReplacedAndOk(victimId);
    },
    FAILOVER_BOUND_MS,
    'a replica took over',
  );
  await until(
    () => first.output().includes(String(port)),
    UP_BOUND_MS,
    'the launcher reports the node that died',
  );

  const again = start(OUR_SERVER, [configFile], dirname(configFile));
  await until(
    async () => (await call(port, 'ROLE')).startsWith('slave'),
    FAILOVER_BOUND_MS,
    'the old master is a replica',
  );
  expect(await getThrough('greeting')).toBe('hello');
  again.child.kill('SIGTERM');
  await again.ended;

  first.child.kill('SIGINT');
  expect(await first.ended).toBe(0);
  for (const each of ports()) await expect(RespConnection.open(each)).rejects.toThrow();

  const second = up();
  await untilOk(second);
  expect(await nodeIds()).toEqual(ids);
  second.child.kill('SIGTERM');
  expect(await second.ended).toBe(0);
});

test('bad flags end with status 2 and one line, a taken port with status 1 and its number', async () => {
  const bad = start(process.execPath, [SLOTLINE, 'up', '--masters', 'many'], dir);
  expect(await bad.ended).toBe(2);
  expect(bad.output().trim().split('\n').length).toBe(1);

  const other = mkdtempSync(join(tmpdir(), 'slotline-up-'));
  const taken = start(OUR_SERVER, ['--port', String(port), '--bind', '127.0.0.1'], other);
  await until(async () => (await call(port, 'PING')) === 'PONG', UP_BOUND_MS, 'the port is taken');
  const refused = up();
  expect(await refused.ended).toBe(1);
  expect(refused.output()).toContain(String(port));
  taken.child.kill('SIGTERM');
  await taken.ended;
  rmSync(other, { recursive: true, force: true });
});

function up(): Run {
  const flags = ['--port', String(port), '--dir', join(dir, 'data'), '--node-timeout', '1000'];
  if (process.env['SLOTLINE_SERVER_EXE'] !== undefined) flags.push('--server-exe', OUR_SERVER);
  return start(process.execPath, [SLOTLINE, 'up', ...flags], dir);
}

function start(exe: string, args: readonly string[], cwd: string): Run {
  const child = spawn(exe, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  started.add(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      started.delete(child);
      resolve(code);
    });
  });
  return { child, output: () => output, ended };
}

/** Waits until the launcher has nothing more to do, as it says last, and sees for itself. */
async function untilOk(run: Run): Promise<void> {
  await until(
    () => {
      if (run.child.exitCode !== null) throw new GiveUp(`slotline up ended:\n${run.output()}`);
      return run.output().includes('Ctrl-C ends the nodes');
    },
    UP_BOUND_MS,
    'the launcher is ready',
  );
  const states = await Promise.all(ports().map((each) => call(each, 'CLUSTER', 'INFO')));
  for (const state of states) expect(state).toContain('cluster_state:ok');
  const roles = await Promise.all(ports().map((each) => call(each, 'INFO', 'replication')));
  expect(roles.filter((role) => role.includes('master_link_status:up')).length).toBe(3);
}

async function isReplacedAndOk(victimId: string): Promise<boolean> {
  const view = await call(port + 1, 'CLUSTER', 'NODES');
  const victim = view.split('\n').find((line) => line.startsWith(victimId)) ?? '';
  const state = await call(port + 1, 'CLUSTER', 'INFO');
  const ownsNothing = victim.split(' ').length <= 8;
  return /\bfail\b/.test(victim) && ownsNothing && state.includes('cluster_state:ok');
}

async function nodeIds(): Promise<string[]> {
  const ids = await Promise.all(ports().map((each) => call(each, 'CLUSTER', 'MYID')));
  return ids.sort();
}

async function setThrough(key: string, value: string): Promise<void> {
  await until(
    async () => {
      for (const each of ports()) {
        const reply = await call(each, 'SET', key, value).catch(() => 'not here');
        if (reply === 'OK') return true;
      }
      return false;
    },
    UP_BOUND_MS,
    'the key is written',
  );
}

async function getThrough(key: string): Promise<string | undefined> {
  for (const each of ports()) {
    const reply = await call(each, 'GET', key).catch(() => undefined);
    if (reply !== undefined) return reply;
  }
  return undefined;
}

async function call(to: number, ...args: readonly string[]): Promise<string> {
  const connection = await RespConnection.open(to);
  try {
    return await connection.text(...args);
  } finally {
    connection.close();
  }
}

function ports(): number[] {
  return Array.from({ length: NODE_COUNT }, (_, index) => port + index);
}
