/** Tests of what an application sees: the same ones against our server and the real one, through the client libraries. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisClientType, createClient } from '@redis/client';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { NodeProcess, freePorts } from './node-process.ts';
import { OUR_SERVER, REAL_SERVER, describeWithRealRedis, required } from './programs.ts';
import { until } from './until.ts';

const BLOCKED_BOUND_MS = 5000;

/** What @redis/client makes of one stream in the reply of XREAD and XREADGROUP; its types leave it open. */
export interface StreamReply {
  readonly name: string;
  readonly messages: readonly {
    readonly id: string;
    readonly message: Readonly<Record<string, string>>;
  }[];
}

/** One server, and the clients that a test opens to it. */
export class Site {
  #node: NodeProcess | undefined;
  #dir: string | undefined;
  #closings: (() => void)[] = [];

  get node(): NodeProcess {
    if (this.#node === undefined) throw new Error('Cannot use the server: it has not started');
    return this.#node;
  }

  async start(exe: string): Promise<void> {
    const [port = 0] = await freePorts(1);
    this.#dir = mkdtempSync(join(tmpdir(), 'slotline-applications-'));
    this.#node = new NodeProcess({ exe, port, dir: this.#dir });
    await this.#node.start();
  }

  async stop(): Promise<void> {
    await this.#node?.kill();
    if (this.#dir !== undefined) rmSync(this.#dir, { recursive: true, force: true });
  }

  /** ioredis over RESP3 with replies in the shapes of RESP2, its default; closed after the test. */
  ioredis(): Redis {
    const client = new Redis({ host: '127.0.0.1', port: this.node.port, protocol: 3 });
    this.#closings.push(() => client.disconnect());
    return client;
  }

  /** ioredis over RESP3 with replies as RESP3 shapes them: doubles are numbers, maps are objects; closed after the test. */
  ioredisNative(): Redis<'resp3'> {
    const client = new Redis({
      host: '127.0.0.1',
      port: this.node.port,
      protocol: 3,
      replyMapping: 'resp3',
    });
    this.#closings.push(() => client.disconnect());
    return client;
  }

  /** @redis/client over RESP3; closed after the test. */
  async nodeRedis(): Promise<RedisClientType> {
    const client: RedisClientType = createClient({
      url: `redis://127.0.0.1:${this.node.port}`,
      RESP: 3,
    });
    this.#closings.push(() => {
      if (client.isOpen) client.destroy();
    });
    await client.connect();
    return client;
  }

  /** Waits until exactly so many clients wait in blocking commands. */
  async untilBlocked(count: number): Promise<void> {
    await until(
      async () =>
        (await this.node.facts('INFO', 'clients')).get('blocked_clients') === String(count),
      BLOCKED_BOUND_MS,
      `${count} clients are blocked`,
    );
  }

  /** Closes the clients, and empties the server. */
  async clear(): Promise<void> {
    for (const close of this.#closings) close();
    this.#closings = [];
    await this.node.call('FLUSHALL');
  }
}

/** Runs the tests that `body` declares against our server, and against the real one where it is installed. */
export function describeOnEachServer(name: string, body: (site: Site) => void): void {
  const onServer = (find: () => string) => (): void => {
    const site = new Site();
    beforeAll(() => site.start(find()));
    afterEach(() => site.clear());
    afterAll(() => site.stop());
    body(site);
  };
  describe(
    `${name}, slotline-server`,
    onServer(() => OUR_SERVER),
  );
  describeWithRealRedis(
    `${name}, redis-server`,
    onServer(() => required(REAL_SERVER, 'redis-server')),
  );
}
