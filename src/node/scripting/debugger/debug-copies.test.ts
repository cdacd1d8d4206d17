/**
 * Goal: a script that is debugged on a copy leaves nothing behind, neither in the data nor as a process, and has the rights of
 * its client. Method: copies are nodes over virtual ports, too, whose connections are carried by hand.
 */
import { expect, test } from 'vitest';
import type { CopyEvents, CopyPlace, Wire, WireEvents } from '../../ports.ts';
import { type TestClient, TestNode } from '../../test-node.ts';

const SCRIPT = "redis.call('incr', 'n')\nreturn redis.call('get', 'n')";

/** A copy, which lives as long as its place. */
class TestPlace implements CopyPlace {
  readonly dataFile: string = 'private/dump.rdb';
  readonly #original: () => TestNode;
  config = '';
  isRemoved = false;
  isPaused = false;
  /** Why it does not start. */
  flaw: string | undefined;
  copy: TestNode | undefined;
  #client: TestClient | undefined;
  #events: WireEvents | undefined;

  constructor(original: () => TestNode) {
    this.#original = original;
  }

  start(config: string, events: CopyEvents): void {
    this.config = config;
    this.#original().later.push(() => this.#begin(events));
  }

  #begin(events: CopyEvents): void {
    if (this.flaw !== undefined) return events.failed(this.flaw);
    const data = this.#original().files.read(this.dataFile)!;
    this.copy = new TestNode(`${this.config}\nsave ""\n`, false, { 'dump.rdb': data });
    this.copy.settle();
    this.#client = this.copy.connect();
    const wire: Wire = {
      remoteIp: '',
      remotePort: 0,
      localIp: '',
      localPort: 0,
      isUnixSocket: true,
      fd: -1,
      pendingBytes: 0,
      write: (buf, size) => {
        this.#carry(buf.toString('latin1', 0, size));
        return true;
      },
      pause: () => {
        this.isPaused = true;
      },
      resume: () => {
        this.isPaused = false;
      },
      end: () => undefined,
      destroy: () => undefined,
    };
    this.#events = events.served(wire);
  }

  /** Brings bytes to the copy, and what it answers back later, in two pieces. */
  #carry(text: string): void {
    this.#original().later.push(() => {
      this.#client!.send(text);
      this.copy!.settle();
      const { received, isClosed } = this.#client!;
      const half = Math.floor(received.length / 2);
      for (const piece of [received.slice(0, half), received.slice(half)]) {
        this.#events!.data(Buffer.from(piece, 'latin1'), piece.length);
      }
      if (isClosed) this.die();
    });
  }

  die(): void {
    this.#events!.closed(undefined);
  }

  remove(): void {
    this.isRemoved = true;
  }
}

class Original {
  readonly places: TestPlace[] = [];
  flaw: string | undefined;
  readonly node: TestNode;

  constructor(config = '') {
    const makePlace = (): TestPlace => {
      const place = new TestPlace(() => this.node);
      place.flaw = this.flaw;
      this.places.push(place);
      return place;
    };
    this.node = new TestNode(config, false, {}, { copies: { makePlace } });
  }

  connect(...before: readonly (readonly string[])[]): TestClient {
    const client = this.node.connect();
    for (const args of before) this.ask(client, ...args);
    expect(client.call('SCRIPT', 'DEBUG', 'YES')).toBe('+OK\r\n');
    return client;
  }

  ask(client: TestClient, ...args: readonly string[]): string {
    client.call(...args);
    this.node.settle();
    return client.received;
  }
}

test('the script sees the data of the moment, and changes nothing for others, who need not wait', () => {
  const original = new Original('databases 20\n');
  const { node } = original;
  const other = node.connect();
  other.call('SELECT', '17');
  other.call('SET', 'n', '5');
  const client = original.connect(['SELECT', '17']);
  client.call('EVAL', SCRIPT, '0');
  other.call('SET', 'n', '50');
  node.settle();
  expect(client.received).toContain('+* Stopped at 1, stop reason = step over\r\n');
  expect(original.ask(client, 's')).toContain('+<reply> 6\r\n');
  expect(other.call('GET', 'n')).toBe('$2\r\n50\r\n');
  expect(original.ask(client, 'c')).toBe('*1\r\n+<endsession>\r\n$1\r\n6\r\n');
  expect(client.isClosed).toBe(true);
  expect(original.places.map(({ isRemoved }) => isRemoved)).toEqual([true]);
  expect(other.call('GET', 'n')).toBe('$2\r\n50\r\n');
});

test('the copy has the rights, the protocol and the settings of its client and node', () => {
  const original = new Original('requirepass secret\nhash-max-listpack-entries 7\n');
  const admin = original.node.connect();
  admin.call('AUTH', 'secret');
  admin.call('ACL', 'SETUSER', 'bob', 'on', '>x', '~a*', '(~b* +get)', '+@all', '-incr');
  const client = original.connect(['AUTH', 'bob', 'x'], ['HELLO', '3']);
  const script = `return {redis.pcall('incr', 'a').err, redis.pcall('set', 'b', '1').err,
    redis.pcall('get', 'b'), 1.5 > 1}`;
  original.ask(client, 'EVAL', script, '0');
  const answer = original.ask(client, 'c');
  expect(answer).toContain("ERR The user executing the script can't run this command");
  expect(answer).toContain(
    "ERR The user executing the script can't access at least one of the keys",
  );
  expect(answer).toMatch(/\r\n_\r\n:1\r\n$/);
  expect(original.places[0]!.config).toBe('hash-max-listpack-entries 7');
});

test('the default user is limited in the copy as in the original', () => {
  const original = new Original();
  const client = original.connect(['ACL', 'SETUSER', 'default', '-set']);
  original.ask(client, 'EVAL', "return redis.call('set', 'a', '1')", '0');
  expect(original.ask(client, 'c')).toContain("-ERR The user executing the script can't run this");
});

test('what the client sends before the copy is there comes to it', () => {
  const original = new Original();
  const client = original.connect();
  client.call('EVAL', SCRIPT, '0');
  client.call('c');
  original.node.settle();
  expect(client.received).toMatch(/\*1\r\n\+<endsession>\r\n\$1\r\n1\r\n$/);
  const eager = original.connect();
  eager.call('EVAL', SCRIPT, '0');
  eager.send('x'.repeat(1024 * 1024 + 1));
  expect(eager.isClosed).toBe(true);
  expect(original.places[1]!.isRemoved).toBe(true);
});

test('a client that leaves takes its copy with it, at any time', () => {
  const original = new Original();
  const early = original.connect();
  early.call('EVAL', SCRIPT, '0');
  early.disconnect();
  const late = original.connect();
  original.ask(late, 'EVAL', SCRIPT, '0');
  late.disconnect();
  original.node.settle();
  expect(original.places.map(({ isRemoved }) => isRemoved)).toEqual([true, true]);
});

test('a copy that dies ends the session', () => {
  const original = new Original();
  const client = original.connect();
  original.ask(client, 'EVAL', SCRIPT, '0');
  original.places[0]!.die();
  expect(client.isClosed).toBe(true);
});

test('where there can be no copy the client is told, and goes on', () => {
  const alone = new TestNode().connect();
  alone.call('SCRIPT', 'DEBUG', 'YES');
  expect(alone.call('EVAL', 'return 1', '0')).toBe(
    '-ERR Scripts cannot be debugged on a copy of the data here, use SCRIPT DEBUG SYNC\r\n',
  );
  const original = new Original();
  original.flaw = 'no space\nleft';
  const client = original.connect();
  expect(original.ask(client, 'EVAL', 'return 1', '0')).toBe(
    '-ERR Cannot debug the script on a copy of the data: no space left\r\n',
  );
  expect(original.places[0]!.isRemoved).toBe(true);
  expect(client.call('PING')).toBe('+PONG\r\n');
  original.flaw = undefined;
  expect(original.ask(client, 'EVAL', 'return 1', '0')).toContain('Stopped at 1');
});

test('there are only so many at a time', () => {
  const original = new Original();
  const clients = Array.from({ length: 4 }, () => original.connect());
  for (const client of clients) original.ask(client, 'EVAL', SCRIPT, '0');
  const late = original.connect();
  expect(original.ask(late, 'EVAL', SCRIPT, '0')).toBe(
    '-ERR Too many scripts are debugged on copies of the data, try again later\r\n',
  );
  clients[0]!.disconnect();
  expect(original.ask(late, 'EVAL', SCRIPT, '0')).toContain('Stopped at 1');
});

test('a client that takes nothing holds its copy up, and not the memory', () => {
  const original = new Original();
  const client = original.connect();
  original.ask(client, 'EVAL', "return string.rep('x', 3000000)", '0');
  original.ask(client, 'm', '0');
  client.isReading = false;
  original.ask(client, 'e', "return string.rep('x', 1500000)");
  expect(original.places[0]!.isPaused).toBe(true);
});
