/**
 * Goal: scripts answer, and change data, as on redis-server, and what they change reaches replicas of either kind.
 * Method: many small scripts on both servers, over RESP2 and RESP3, every byte of every reply compared; then the same scripts on
 * a master with a replica of the other kind, and digests of the data compared.
 */
import { type Socket, connect } from 'node:net';
import { expect, test } from 'vitest';
import { BothServers } from './harness/both-servers.ts';
import { Cluster } from './harness/cluster.ts';
import type { NodeProcess } from './harness/node-process.ts';
import { describeWithRealRedis } from './harness/programs.ts';
import { GiveUp, until } from './harness/until.ts';
import { SCRIPT_CALLS, SCRIPT_TEXTS } from './script-programs.ts';

const BOUND_MS = 15_000;
const PATIENT_TIMEOUT_MS = 3000;
const CONFIG = ['enable-debug-command yes', 'repl-diskless-sync-delay 0'];
/** A nested reply is as deep as C's stack lets it be: this deep is fine anywhere. */
const DEEP = 'local t = {} for i = 1, 7000 do t = {t} end return t';

/** Takes as many milliseconds as it is told, and answers how often it looked at the clock. */
const SLOW = `
  local function now() local t = redis.call('time') return t[1] * 1000 + t[2] / 1000 end
  local looks, till = 0, now() + tonumber(ARGV[1])
  while now() < till do looks = looks + 1 end
  redis.call('set', KEYS[1], looks)
  return looks`;

/** A connection whose replies are taken as bytes. */
class RawConnection {
  readonly #socket: Socket;
  #received = '';
  #calls = 0;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('data', (bytes: Buffer) => {
      this.#received += bytes.toString('latin1');
    });
  }

  /** All bytes of the replies. */
  async call(...args: readonly string[]): Promise<string> {
    this.#received = '';
    const mark = `mark-${++this.#calls}`;
    const end = `$${mark.length}\r\n${mark}\r\n`;
    this.#socket.write(encoded(args) + encoded(['ECHO', mark]), 'latin1');
    await until(() => this.#received.endsWith(end), BOUND_MS, `a reply to ${args.join(' ')}`);
    return this.#received.slice(0, -end.length);
  }

  close(): void {
    this.#socket.destroy();
  }
}

function encoded(args: readonly string[]): string {
  const parts = args.map((arg) => `$${arg.length}\r\n${arg}\r\n`);
  return `*${args.length}\r\n${parts.join('')}`;
}

describeWithRealRedis('scripts', () => {
  const servers = new BothServers(CONFIG);

  for (const protocol of ['2', '3']) {
    test(`answer the same over RESP${protocol}`, async () => {
      const connections = [
        new RawConnection(servers.ours.port),
        new RawConnection(servers.real.port),
      ] as const;
      const both = (...args: readonly string[]): Promise<readonly string[]> =>
        Promise.all(connections.map((connection) => connection.call(...args)));
      try {
        await both('HELLO', protocol);
        await both('FLUSHALL');
        await both('SCRIPT', 'FLUSH');
        const texts = [...SCRIPT_TEXTS, DEEP].map((text) => ['EVAL', text, '0']);
        for (const args of [...texts, ...SCRIPT_CALLS]) {
          const [mine, theirs] = await both(...args);
          expect({ args, reply: mine }).toEqual({ args, reply: theirs });
        }
        const [mine, theirs] = await both('DEBUG', 'DIGEST');
        expect(mine).toBe(theirs);
      } finally {
        for (const connection of connections) connection.close();
      }
    });
  }

  test.each([
    ['ours', 'a servers.real replica'],
    ['a real one', 'a replica of ours'],
  ])('on %s change the data of %s', async (master) => {
    const [from, to] =
      master === 'ours' ? [servers.ours, servers.real] : [servers.real, servers.ours];
    await to.call('REPLICAOF', '127.0.0.1', from.port);
    const isUp = async (): Promise<boolean> =>
      String(await to.call('INFO', 'replication')).includes('master_link_status:up');
    await until(isUp, BOUND_MS, 'the link is up');
    const connection = new RawConnection(from.port);
    try {
      for (const text of SCRIPT_TEXTS) await connection.call('EVAL', text, '0');
      await from.call('MULTI');
      await from.call('EVAL', "return redis.call('incr','n')", '0');
      await from.call('EVAL', "redis.call('incr','n') redis.call('nosuch')", '0');
      await from.call('EXEC');
      await connection.call(
        'EVAL',
        "redis.set_repl(redis.REPL_ALL) redis.call('set','e','1','px',50) redis.call('spop','set')",
        '0',
      );
    } finally {
      connection.close();
    }
    const digest = async (node: NodeProcess): Promise<string> =>
      String(await node.call('DEBUG', 'DIGEST'));
    const isSame = async (): Promise<boolean> => (await digest(to)) === (await digest(from));
    await until(isSame, BOUND_MS, 'the replica has what its master has');
    await to.call('REPLICAOF', 'NO', 'ONE');
  });

  test('on a replica see the data of one moment, and the rest of the stream follows', async () => {
    await servers.ours.call('REPLICAOF', '127.0.0.1', servers.real.port);
    const isUp = async (): Promise<boolean> =>
      String(await servers.ours.call('INFO', 'replication')).includes('master_link_status:up');
    await until(isUp, BOUND_MS, 'the link is up');
    await servers.real.call('SET', 'count', '0');
    await until(
      async () => (await servers.ours.call('GET', 'count')) === '0',
      BOUND_MS,
      'it follows',
    );
    const text =
      "local a = redis.call('get','count') for i = 1, 60000000 do end return a == redis.call('get','count') and a";
    let isOver = false;
    const running = servers.ours.call('EVAL', text, '0').finally(() => {
      isOver = true;
    });
    let count = 0;
    while (!isOver) count = Number(await servers.real.call('INCR', 'count'));
    expect(count).toBeGreaterThan(1);
    expect(Number(await running)).toBeLessThan(count);
    const isThere = async (): Promise<boolean> =>
      (await servers.ours.call('GET', 'count')) === String(count);
    await until(isThere, BOUND_MS, 'the replica has what its master has');
    await servers.ours.call('REPLICAOF', 'NO', 'ONE');
  });
});

test('a master whose script takes many node timeouts is not taken for failed', async () => {
  const cluster = await Cluster.start({
    masters: 3,
    replicasPerMaster: 1,
    // A loaded machine stands still for a second by itself.
    config: [`cluster-node-timeout ${PATIENT_TIMEOUT_MS}`],
  });
  try {
    const master = cluster.node(0);
    const slots = await cluster.node(1).call('CLUSTER', 'SLOTS');
    const mine = (slots as [number, number, [string, number]][]).find(
      ([, , [, port]]) => port === master.port,
    );
    const isMine = (slot: number): boolean =>
      mine !== undefined && slot >= mine[0] && slot <= mine[1];
    let key = 0;
    while (!isMine(Number(await master.call('CLUSTER', 'KEYSLOT', `k${key}`)))) key++;
    let isOver = false;
    const running = master
      .call('EVAL', SLOW, '1', `k${key}`, String(3 * PATIENT_TIMEOUT_MS))
      .finally(() => {
        isOver = true;
      });
    const isEndedUnharmed = async (): Promise<boolean> => {
      const nodes = String(await cluster.node(1).call('CLUSTER', 'NODES'));
      if (nodes.includes('fail')) throw new GiveUp(`somebody is taken for failed:\n${nodes}`);
      return isOver;
    };
    await until(isEndedUnharmed, BOUND_MS, 'the script ends');
    expect(Number(await running)).toBeGreaterThan(0);
    expect(await cluster.isMaster(master)).toBe(true);
  } finally {
    await cluster.stop();
  }
});
