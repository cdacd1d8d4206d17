/**
 * Goal: whatever is encrypted works with the real servers and redis-cli on the other end, and who has no certificate of
 * the authority is not let in. Method: real processes that speak nothing but TLS.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TLSSocket, connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from './harness/cluster.ts';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import {
  OUR_SENTINEL,
  OUR_SERVER,
  REAL_SENTINEL,
  REAL_SERVER,
  REDIS_CLI,
  describeWithRealRedis,
  required,
} from './harness/programs.ts';
import { Sentinels } from './harness/sentinels.ts';
import { runSlotline } from './harness/slotline.ts';
import { TLS_FILES, TLS_FLAGS, tlsClient } from './harness/tls.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 30_000;
const { ca, strangerCert, strangerKey } = TLS_FILES;
const WITHOUT_CERTIFICATE = ['--tls', '--cacert', ca];
const AS_STRANGER = [...WITHOUT_CERTIFICATE, '--cert', strangerCert, '--key', strangerKey];

/** What redis-cli says, both of it. */
function redisCli(port: number, ...args: readonly string[]): Promise<string> {
  const program = required(REDIS_CLI, 'redis-cli');
  return new Promise((resolve) => {
    execFile(program, ['-p', String(port), ...args], (_error, stdout, stderr) =>
      resolve((stdout + stderr).trim()),
    );
  });
}

/** One redis-cli that follows redirections; its lines. */
async function redisCliLines(port: number, commands: readonly string[]): Promise<string[]> {
  const program = required(REDIS_CLI, 'redis-cli');
  const child = spawn(program, ['-p', String(port), ...TLS_FLAGS, '-c']);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.end(`${commands.join('\n')}\n`);
  await once(child, 'close');
  return output.split('\n');
}

describeWithRealRedis('one node', () => {
  const dir = mkdtempSync(join(tmpdir(), 'slotline-tls-'));
  let node: NodeProcess;
  let port = 0;

  beforeAll(async () => {
    [port = 0] = await freePorts(1);
    node = new NodeProcess({ exe: OUR_SERVER, port, dir, isTls: true });
    await node.start();
  });
  afterAll(async () => {
    await node.signal('SIGTERM');
    rmSync(dir, { recursive: true, force: true });
  });

  const set = (name: string, value: string): Promise<string> =>
    node.text('CONFIG', 'SET', name, value).catch(String);

  test('lets in whom the authority signed for, and nobody else', async () => {
    expect(await redisCli(port, ...TLS_FLAGS, 'PING')).toBe('PONG');
    for (const flags of [[], WITHOUT_CERTIFICATE, AS_STRANGER]) {
      expect(await redisCli(port, ...flags, 'PING')).not.toContain('PONG');
    }
    expect(node.log()).toContain('Error accepting a client connection: ');
    expect(node.log()).toContain('peer did not return a certificate');
  });

  test('asks for certificates as tls-auth-clients says', async () => {
    const who = async (): Promise<boolean[]> => {
      const answers = [WITHOUT_CERTIFICATE, AS_STRANGER, TLS_FLAGS].map((flags) =>
        redisCli(port, ...flags, 'PING'),
      );
      return (await Promise.all(answers)).map((answer) => answer === 'PONG');
    };
    expect(await set('tls-auth-clients', 'optional')).toBe('OK');
    expect(await who()).toEqual([true, false, true]);
    expect(await set('tls-auth-clients', 'no')).toBe('OK');
    expect(await who()).toEqual([true, true, true]);
    expect(await set('tls-auth-clients', 'yes')).toBe('OK');
    expect(await who()).toEqual([false, false, true]);
  });

  test('refuses keys that will not do and goes on with those it has', async () => {
    const refusal = (name: string): string =>
      `CONFIG SET failed (possibly related to argument '${name}') - Unable to update TLS configuration. Check server logs.`;
    expect(await set('tls-cert-file', '/nowhere')).toContain(refusal('tls-cert-file'));
    expect(await set('tls-key-file', strangerKey)).toContain(refusal('tls-key-file'));
    expect(await set('tls-ca-cert-file', strangerKey)).toContain(refusal('tls-ca-cert-file'));
    expect(await set('tls-protocols', 'TLSv9')).toContain(refusal('tls-protocols'));
    expect(await set('tls-ciphers', 'nonsense')).toContain(refusal('tls-ciphers'));
    expect(await node.call('CONFIG', 'GET', 'tls-cert-file')).toContain(TLS_FILES.cert);
    expect(await redisCli(port, ...TLS_FLAGS, 'PING')).toBe('PONG');
    expect(node.log()).toContain('# Failed to load certificate: /nowhere: No such file');
  });

  test('carries a large value whole, both ways', async () => {
    const value = 'v'.repeat(3_000_000);
    expect(await node.call('SET', 'large', value)).toBe('OK');
    expect(await node.call('GET', 'large')).toBe(value);
  });

  /** A connection of a client who has not read anything yet. */
  const enter = (): TLSSocket =>
    connectTls({
      port,
      host: '127.0.0.1',
      ...tlsClient(),
      checkServerIdentity: () => undefined,
    });

  const allOf = async (socket: TLSSocket): Promise<string> => {
    const pieces: Buffer[] = [];
    for await (const piece of socket) pieces.push(piece as Buffer);
    return Buffer.concat(pieces).toString();
  };

  test('keeps in order what a client asks for who reads nothing for a while', async () => {
    const value = 'w'.repeat(200_000);
    await node.call('SET', 'slow', value);
    const socket = enter();
    // With the last packet of the handshake, and far more than the system keeps of answers.
    for (let i = 0; i < 100; i++) socket.write(`GET slow\r\nECHO ${i}\r\n`);
    await until(
      async () =>
        Number((await node.facts('INFO', 'clients')).get('client_recent_max_output_buffer')) > 1e6,
      BOUND_MS,
      'answers wait for the reader',
    );
    expect(await node.call('GET', 'slow')).toBe(value);
    socket.write('QUIT\r\n');
    const expected = Array.from({ length: 100 }, (_, i) => {
      const echoed = `$${String(i).length}\r\n${i}\r\n`;
      return `$${value.length}\r\n${value}\r\n${echoed}`;
    });
    expect(await allOf(socket)).toBe(`${expected.join('')}+OK\r\n`);
  });

  test('goes on when a client breaks off in the middle of an answer', async () => {
    const sockets = Array.from({ length: 20 }, enter);
    const gone = sockets.map(async (socket) => {
      socket.write('GET slow\r\n'.repeat(50));
      await once(socket, 'secureConnect');
      socket.destroy();
      await once(socket, 'close');
    });
    await Promise.all(gone);
    expect(await redisCli(port, ...TLS_FLAGS, 'PING')).toBe('PONG');
  });

  test('is troubled by nobody who speaks something else, and cuts him off', async () => {
    const strangers = Array.from({ length: 50 }, () => connect(port, '127.0.0.1'));
    const gone = strangers.map((socket) => once(socket.resume(), 'close'));
    for (const socket of strangers) socket.write('PING\r\n');
    await Promise.all(gone);
    expect(await redisCli(port, ...TLS_FLAGS, 'PING')).toBe('PONG');
    // redis-cli has ended, and its connection a moment later.
    await until(
      async () => (await node.facts('INFO', 'clients')).get('connected_clients') === '1',
      BOUND_MS,
      'nobody else is connected',
    );
  });

  test('turns away whoever is one too many before anything is negotiated', async () => {
    expect(await set('maxclients', '1')).toBe('OK');
    const before = (await node.facts('INFO', 'stats')).get('rejected_connections');
    const socket = enter();
    const events = Promise.race([once(socket, 'secureConnect'), once(socket, 'close')]);
    await events.catch(() => undefined);
    expect(socket.destroyed).toBe(true);
    expect((await node.facts('INFO', 'stats')).get('rejected_connections')).toBe(
      String(Number(before) + 1),
    );
    expect(await set('maxclients', '100')).toBe('OK');
    expect(await redisCli(port, ...TLS_FLAGS, 'PING')).toBe('PONG');
  });

  test('its port moves', async () => {
    const [other = 0] = await freePorts(1);
    expect(await set('tls-port', String(other))).toBe('OK');
    expect(await redisCli(other, ...TLS_FLAGS, 'PING')).toBe('PONG');
    expect(await redisCli(port, ...TLS_FLAGS, 'PING')).toContain('Could not connect');
    expect(await set('tls-port', String(port))).toBe('OK');
  });
});

test('a server without a certificate does not start', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'slotline-tls-'));
  const [port = 0] = await freePorts(1);
  const node = new NodeProcess({ exe: OUR_SERVER, port, dir, config: [`tls-port ${port + 1}`] });
  await expect(node.start()).rejects.toThrow(/No tls-cert-file configured![^]*Failed to configure/);
  rmSync(dir, { recursive: true, force: true });
});

describeWithRealRedis('a cluster of both', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    const real = required(REAL_SERVER, 'redis-server');
    cluster = await Cluster.start({
      masters: 3,
      replicasPerMaster: 1,
      // So each replica is of the other kind than its master.
      exeOf: (index) => ([0, 2, 4].includes(index) ? OUR_SERVER : real),
      isTls: true,
    });
  });
  afterAll(() => cluster.stop());

  test('moves slots with their keys, and redis-cli finds it whole', async () => {
    const [first, second] = [cluster.node(0).port, cluster.node(1).port];
    const args = ['--from', `127.0.0.1:${first}`, '--to', `127.0.0.1:${second}`, '--slots', '100'];
    const numbers = Array.from({ length: 300 }, (_, i) => i);
    await redisCliLines(
      first,
      numbers.map((i) => `SET key:${i} value:${i}`),
    );
    const moved = await runSlotline(
      ...['cluster', 'reshard', `127.0.0.1:${first}`, ...args, '--yes', ...TLS_FLAGS],
    );
    expect(moved, moved.stderr).toMatchObject({ status: 0 });
    expect(
      await redisCli(first, ...TLS_FLAGS, '--cluster', 'check', `127.0.0.1:${first}`),
    ).toContain('All 16384 slots covered');
    const found = await redisCliLines(
      first,
      numbers.map((i) => `GET key:${i}`),
    );
    expect(found.filter((line) => line.startsWith('value:'))).toEqual(
      numbers.map((i) => `value:${i}`),
    );
  });

  test('replaces a master that dies', async () => {
    const [master, , , replica] = cluster.nodes as [
      NodeProcess,
      NodeProcess,
      NodeProcess,
      NodeProcess,
    ];
    await master.kill();
    await until(
      async () => (await replica.facts('INFO', 'replication')).get('role') === 'master',
      BOUND_MS,
      'the replica takes over',
    );
    await until(
      async () => (await replica.facts('CLUSTER', 'INFO')).get('cluster_state') === 'ok',
      BOUND_MS,
      'the cluster is whole',
    );
  });
});

describeWithRealRedis('Sentinels of both', () => {
  let set: Sentinels;

  beforeAll(async () => {
    const theirs = required(REAL_SENTINEL, 'redis-sentinel');
    set = await Sentinels.start({
      node: OUR_SERVER,
      sentinels: [OUR_SENTINEL, theirs, OUR_SENTINEL],
      isTls: true,
    });
  });
  afterAll(() => set.stop());

  test('agree on another master', async () => {
    const { master, sentinels } = set;
    await master.kill();
    await until(
      async () => {
        const ports = await Promise.all(sentinels.map((sentinel) => set.masterPort(sentinel)));
        return ports.every((port) => port === ports[0] && port !== master.port);
      },
      BOUND_MS,
      'all Sentinels name the same other master',
    );
  });
});
