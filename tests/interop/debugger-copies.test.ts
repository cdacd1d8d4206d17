/**
 * Goal: the process in which SCRIPT DEBUG YES runs a script is nobody's but its client's, and lives no longer than the session, the
 * client and the server. Method: each of them ends, in order or by kill -9; then the process and its folder must be gone.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SERVER } from './harness/programs.ts';
import { RespConnection } from './harness/resp-connection.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 15_000;
const KEYS = 50_000;
const SCRIPT = "redis.call('set', 'k', 'changed')\nreturn redis.call('dbsize')";

interface Copy {
  readonly pid: number;
  readonly directory: string;
}

describe('a copy of the server for the debugger', () => {
  const dir = mkdtempSync(join(tmpdir(), 'slotline-debugger-'));
  let server: NodeProcess;

  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    const config = ['enable-debug-command yes'];
    server = new NodeProcess({ exe: OUR_SERVER, port, dir: join(dir, 'server'), config });
    await server.start();
  });
  afterAll(async () => {
    await server.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Processes that the server has started. */
  function copies(): Copy[] {
    const path = `/proc/${server.pid}/task/${server.pid}/children`;
    const pids = readFileSync(path, 'latin1').split(' ').filter(Boolean).map(Number);
    return pids.map((pid) => ({ pid, directory: readlinkSync(`/proc/${pid}/cwd`) }));
  }

  function isGone({ pid, directory }: Copy): boolean {
    return !existsSync(`/proc/${pid}`) && !existsSync(directory);
  }

  /** A session that has begun, and its copy. */
  async function begin(): Promise<{ client: RespConnection; copy: Copy }> {
    const client = await RespConnection.open(server.port);
    await client.call('SCRIPT', 'DEBUG', 'YES');
    const told = await client.call('EVAL', SCRIPT, '0');
    expect(told).toContain('* Stopped at 1, stop reason = step over');
    const [copy, ...others] = copies();
    expect(others).toEqual([]);
    return { client, copy: copy! };
  }

  test('has all the data, in a folder that only its user can enter, and no file of it while it serves', async () => {
    await server.call('DEBUG', 'POPULATE', String(KEYS));
    const { client, copy } = await begin();
    expect(statSync(copy.directory).mode & 0o777).toBe(0o700);
    expect(existsSync(join(copy.directory, 'dump.rdb'))).toBe(false);
    expect(await client.call('r', 'dbsize')).toEqual(['<redis> dbsize', `<reply> ${KEYS}`]);
    expect(await client.call('s')).toContain('<redis> set k changed');
    expect(await server.call('EXISTS', 'k')).toBe(0);
    expect(await client.call('c')).toEqual(['<endsession>']);
    await until(() => isGone(copy), BOUND_MS, 'the copy is gone');
    await until(() => !client.isOpen, BOUND_MS, 'the connection has ended');
  });

  test('finds and removes what a killed server has left, and nothing else', async () => {
    const dead = spawnSync('true').pid;
    const places = [`slotline-copy-${dead}-test`, `slotline-copy-${process.pid}-test`];
    const [left, used] = places.map((name) => join(tmpdir(), name)) as [string, string];
    for (const place of [left, used]) mkdirSync(place);
    const { client, copy } = await begin();
    expect([existsSync(left), existsSync(used)]).toEqual([false, true]);
    rmSync(used, { recursive: true });
    client.close();
    await until(() => isGone(copy), BOUND_MS, 'the copy is gone');
  });

  test('goes with its client', async () => {
    const { client, copy } = await begin();
    client.close();
    await until(() => isGone(copy), BOUND_MS, 'the copy is gone');
    expect(await server.call('PING')).toBe('PONG');
  });

  test('ends the session when it dies', async () => {
    const { client, copy } = await begin();
    process.kill(copy.pid, 'SIGKILL');
    await until(() => !client.isOpen && isGone(copy), BOUND_MS, 'the session has ended');
    expect(await server.call('PING')).toBe('PONG');
  });

  test('is no way out of an endless loop for the server: that goes on, and so does the session', async () => {
    const client = await RespConnection.open(server.port);
    await client.call('SCRIPT', 'DEBUG', 'YES');
    await client.call('EVAL', 'while true do end', '0');
    const [copy] = copies();
    const answer = client.call('c').catch(() => undefined);
    expect(await server.call('PING')).toBe('PONG');
    client.close();
    await answer;
    await until(() => isGone(copy!), BOUND_MS, 'the copy is gone');
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)('goes with the server, by %s', async (signal) => {
    const { client, copy } = await begin();
    await server.signal(signal);
    await until(() => isGone(copy), BOUND_MS, 'the copy is gone');
    client.close();
    await server.start();
  });

  test('that has not begun to serve goes with a server that is killed', async () => {
    const client = await RespConnection.open(server.port);
    await client.call('SCRIPT', 'DEBUG', 'YES');
    client.call('EVAL', SCRIPT, '0').catch(() => undefined);
    // Until it is a program of its own it stands where its server does.
    const find = (): Copy | undefined =>
      copies().find(({ directory }) => directory.includes('slotline-copy-'));
    await until(() => find() !== undefined, BOUND_MS, 'the copy begins');
    const copy = find();
    await server.kill();
    await until(() => isGone(copy!), BOUND_MS, 'the copy is gone');
    client.close();
    await server.start();
  });
});
