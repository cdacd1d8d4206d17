/** Goal: a node that cannot start says why in Redis's words and ends with status 1. Method: start it so. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SERVER } from './harness/programs.ts';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'slotline-refusals-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function refuse(
  name: string,
  config: readonly string[],
  port?: number,
): Promise<NodeProcess> {
  const [free = 0] = await freePorts(1);
  const node = new NodeProcess({
    exe: OUR_SERVER,
    port: port ?? free,
    dir: join(dir, name),
    config,
  });
  return node;
}

test('a taken port is named and the status is 1', async () => {
  const first = await refuse('first', []);
  await first.start();
  const second = await refuse('second', [], first.port);
  second.launch();
  await second.ended();
  expect(second.log()).toContain('Failed listening on port');
  expect(second.log()).toContain(String(first.port));
  expect(second.exitCode).toBe(1);
  await first.kill();
});

test.each([
  ['logfile', 'logfile none/log', "Can't open the log file: No such file or directory"],
  ['unixsocket', 'unixsocket none', 'Failed opening Unix socket: bind: Address already in use'],
  ['nodes', 'cluster-enabled yes', "Can't open nodes.conf: Is a directory"],
])('a path that cannot be used is the reason told: %s', async (name, line, reason) => {
  const node = await refuse(`path-${name}`, [line]);
  mkdirSync(join(node.dir, name === 'unixsocket' ? 'none' : 'nodes.conf'), { recursive: true });
  node.launch();
  await node.ended();
  expect(node.log()).toContain(reason);
  expect(node.log()).not.toContain('    at ');
  expect(node.exitCode).toBe(1);
});

test('an unknown directive is fatal and its line is shown', async () => {
  const node = await refuse('directive', ['no-such-directive yes']);
  node.launch();
  await node.ended();
  expect(node.log()).toContain('FATAL CONFIG FILE ERROR');
  expect(node.log()).toContain(">>> 'no-such-directive yes'");
  expect(node.log()).toContain('Bad directive or wrong number of arguments');
  expect(node.exitCode).toBe(1);
});

test('a damaged nodes.conf is refused and kept as it is', async () => {
  const node = await refuse('damaged', ['cluster-enabled yes']);
  await node.start();
  await node.signal('SIGTERM');
  const text = node.file('nodes.conf');
  const damaged = text.replace(/^([0-9a-f]{40}) \S+ myself,master/m, '$1 no-address nonsense');
  expect(damaged).not.toBe(text);
  writeFileSync(join(node.dir, 'nodes.conf'), damaged);
  node.launch();
  await node.ended();
  expect(node.log()).toMatch(/Unrecoverable error: corrupted (?:cluster config|nodes\.conf)/);
  expect(node.exitCode).toBe(1);
  expect(node.file('nodes.conf')).toBe(damaged);
});
