/** Goal: CONFIG SET port and bind move a node's socket, or leave it where it was and say so. Method: a real process. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SERVER } from './harness/programs.ts';
import { RespConnection } from './harness/resp-connection.ts';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'slotline-listening-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function answers(port: number): Promise<boolean> {
  try {
    const connection = await RespConnection.open(port);
    const reply = await connection.call('PING');
    connection.close();
    return reply === 'PONG';
  } catch {
    return false;
  }
}

test('the client port moves, and a taken port or a wrong address changes nothing', async () => {
  const [first = 0, second = 0, taken = 0] = await freePorts(3);
  const node = new NodeProcess({ exe: OUR_SERVER, port: first, dir: join(dir, 'a') });
  const other = new NodeProcess({ exe: OUR_SERVER, port: taken, dir: join(dir, 'b') });
  await node.start();
  await other.start();
  const connection = await RespConnection.open(first);
  const set = (name: string, value: string): Promise<unknown> =>
    connection.call('CONFIG', 'SET', name, value).catch((error: unknown) => String(error));

  expect(await set('port', String(second))).toBe('OK');
  expect([await answers(first), await answers(second)]).toEqual([false, true]);
  expect(await set('port', String(taken))).toContain(
    "CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port",
  );
  expect(await connection.call('CONFIG', 'GET', 'port')).toEqual(['port', String(second)]);
  expect(await answers(second)).toBe(true);

  expect(await set('bind', '999.999.999.999')).toContain('Failed to bind to specified addresses.');
  expect(await answers(second)).toBe(true);
  expect(await set('bind', '')).toBe('OK');
  expect(await answers(second)).toBe(false);
  expect(await set('bind', '127.0.0.1')).toBe('OK');
  expect(await answers(second)).toBe(true);
  connection.close();
  await node.signal('SIGTERM');
  await other.signal('SIGTERM');
});

test('a server whose port another one has leaves the files as they are', async () => {
  const [port = 0] = await freePorts(1);
  const shared = join(dir, 'shared');
  const node = new NodeProcess({ exe: OUR_SERVER, port, dir: shared });
  await node.start();
  const before = readdirSync(shared);
  // With a log it would begin one, and the next start would load that in place of the data.
  const config = ['appendonly yes', `dir ${shared}`];
  const second = new NodeProcess({ exe: OUR_SERVER, port, dir: join(dir, 'second'), config });
  second.launch();
  await second.ended();
  expect(second.exitCode).toBe(1);
  expect(second.log()).toContain(`Failed listening on port ${port} (TCP), aborting.`);
  expect(readdirSync(shared)).toEqual(before);
  await node.signal('SIGTERM');
});

test.skipIf(process.platform !== 'linux')('two nodes cannot have one nodes.conf', async () => {
  const [port = 0, other = 0] = await freePorts(2);
  const shared = join(dir, 'cluster');
  const config = ['cluster-enabled yes'];
  const first = new NodeProcess({ exe: OUR_SERVER, port, dir: shared, config });
  await first.start();
  const second = new NodeProcess({
    exe: OUR_SERVER,
    port: other,
    dir: join(dir, 'other'),
    config: [...config, `dir ${shared}`],
  });
  second.launch();
  await second.ended();
  expect(second.exitCode).toBe(1);
  expect(second.log()).toContain(
    'Sorry, the cluster configuration file nodes.conf is already used by a different Redis Cluster node. ',
  );
  // However the first one ends, its file is free then.
  await first.kill();
  await second.start();
  await second.signal('SIGTERM');
  await first.start();
  await first.signal('SIGTERM');
});
