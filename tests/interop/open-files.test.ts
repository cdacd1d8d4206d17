/**
 * Goal: clients cannot take the files that the server itself needs, however few the system allows. Method: a real process
 * under `ulimit -n`, and as many connections as it lets in.
 */
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SERVER } from './harness/programs.ts';
import { RespConnection } from './harness/resp-connection.ts';

const dir = mkdtempSync(join(tmpdir(), 'slotline-open-files-'));

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Our server, with so many files. */
function limited(files: number): string {
  const path = join(dir, `server-${files}`);
  writeFileSync(path, `#!/bin/sh\nulimit -n ${files}\nexec ${OUR_SERVER} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

test.skipIf(!existsSync('/proc/self/limits'))('clients leave files for the rest', async () => {
  const [port = 0] = await freePorts(1);
  const config = ['appendonly yes'];
  const node = new NodeProcess({ exe: limited(120), port, dir: join(dir, 'node'), config });
  await node.start();
  expect(await node.call('CONFIG', 'GET', 'maxclients')).toEqual(['maxclients', '56']);
  await expect(node.call('CONFIG', 'SET', 'maxclients', '57')).rejects.toThrow(
    'not able to handle the specified number of clients, try with 56',
  );
  // Connections that are let in, besides the one that asks.
  const clients = await Promise.all(
    Array.from({ length: 80 }, async () => {
      const connection = await RespConnection.open(port);
      const reply = await connection.call('PING').catch((error: unknown) => String(error));
      if (reply === 'PONG') return connection;
      connection.close();
      return undefined;
    }),
  );
  expect(clients.filter((client) => client !== undefined).length).toBe(55);
  expect(await node.call('SAVE')).toBe('OK');
  expect(await node.call('BGREWRITEAOF')).toContain('started');
  expect(await node.call('SET', 'k', 'v')).toBe('OK');
  for (const client of clients) client?.close();
  await node.kill();
  await node.start();
  expect(await node.call('GET', 'k')).toBe('v');
  await node.signal('SIGTERM');
});

test.skipIf(!existsSync('/proc/self/limits'))('too few files for a server', async () => {
  const [port = 0] = await freePorts(1);
  const node = new NodeProcess({ exe: limited(60), port, dir: join(dir, 'none') });
  node.launch();
  await node.ended();
  expect(node.exitCode).toBe(1);
  expect(node.log()).toContain("Your current 'ulimit -n' of 60 is not enough");
});
