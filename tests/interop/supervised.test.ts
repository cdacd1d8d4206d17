/**
 * Goal: a unit of `Type=notify`, as distributions ship for redis-server, hears that the server is ready. Method: a real
 * process that finds a program in the place of systemd's, which notes what it is told.
 */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SERVER } from './harness/programs.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 20_000;
const dir = mkdtempSync(join(tmpdir(), 'slotline-supervised-'));
const told = join(dir, 'told');

afterAll(() => rmSync(dir, { recursive: true, force: true }));

function script(name: string, ...lines: readonly string[]): string {
  const path = join(dir, name);
  writeFileSync(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  chmodSync(path, 0o755);
  return path;
}

async function started(name: string, exe: string, supervised: string): Promise<NodeProcess> {
  const [port = 0] = await freePorts(1);
  // With a supervisor the process stays the one that he started.
  const config = [`supervised ${supervised}`, 'daemonize yes'];
  const node = new NodeProcess({ exe, port, dir: join(dir, name), config });
  await node.start();
  return node;
}

test('systemd is told that the server is ready, if the configuration has it so', async () => {
  script('systemd-notify', `echo "$NOTIFY_SOCKET $*" >> ${told}`);
  const exe = script('server', `PATH=${dir}:$PATH NOTIFY_SOCKET=/there exec ${OUR_SERVER} "$@"`);
  const node = await started('auto', exe, 'auto');
  await until(async () => existsSync(told), BOUND_MS, 'systemd is told');
  expect(readFileSync(told, 'utf8')).toBe('/there --ready --status=Ready to accept connections\n');
  const facts = await node.facts('INFO', 'server');
  expect(facts.get('process_supervised')).toBe('systemd');
  expect(facts.get('process_id')).toBe(String(node.pid));
  await node.signal('SIGTERM');
});

test('a server that cannot tell it says so and serves', async () => {
  script('systemd-notify', 'exit 3');
  const exe = script('server', `PATH=${dir}:$PATH NOTIFY_SOCKET=/there exec ${OUR_SERVER} "$@"`);
  const node = await started('failing', exe, 'systemd');
  await until(
    async () => node.log().includes('Cannot tell systemd that the server is ready'),
    BOUND_MS,
    'the log says so',
  );
  expect(await node.call('PING')).toBe('PONG');
  await node.signal('SIGTERM');
});
