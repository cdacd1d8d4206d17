/**
 * Goal: whatever is cut, delayed, promoted and turned around, nodes that follow each other end with the same data.
 * Method: three nodes of both machines over byte queues in memory; the data is the list of numbers written. A random
 * script runs, then the network heals and all must agree with the master.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type MonoMs, monoMs, randomHex, replid, seededRng, type Rng } from '../base/index.ts';
import {
  DEFAULT_SOURCE_OPTIONS,
  type LinkEffect,
  ReplicaLink,
  ReplicationHistory,
  ReplicationSource,
  type SourceEffect,
} from './index.ts';

const UNIT =
  /^(?:\n|<(\d+)>|\*1\r\n\$4\r\nPING\r\n|\*2\r\n\$6\r\nSELECT\r\n\$1\r\n\d\r\n|\*3\r\n\$8\r\nREPLCONF\r\n\$6\r\nGETACK\r\n\$1\r\n\*\r\n)/;
const COMMAND = /^\*(\d+)\r\n/;

interface Wire {
  readonly client: number;
  readonly from: Node;
  readonly to: Node;
  up: string;
  down: string;
  isOpen: boolean;
}

class Node {
  readonly world: World;
  readonly name: number;
  data: number[] = [];
  readonly history: ReplicationHistory;
  readonly source: ReplicationSource;
  readonly link: ReplicaLink;
  master: Node | undefined;
  wire: Wire | undefined;
  #snapshot = '';
  #stream = '';
  #running: { job: number; text: string } | undefined;

  constructor(world: World, name: number, rng: Rng) {
    this.world = world;
    this.name = name;
    this.history = new ReplicationHistory({ replid: replid(randomHex(rng, 40)), backlogBytes: 0 });
    this.source = new ReplicationSource({
      history: this.history,
      rng,
      options: { ...DEFAULT_SOURCE_OPTIONS, pingPeriodSeconds: 1, timeoutSeconds: 4 },
      sink: {
        send: (client, buf, at, size) => world.down(client, buf.toString('latin1', at, at + size)),
        // What is behind gets more at each tick; sockets are full now and then.
        wantsStream: () => undefined,
        hasRoom: () => rng.below(4) > 0,
      },
    });
    const options = {
      announcedPort: name,
      announcedIp: '',
      masterUser: '',
      masterAuth: '',
      timeoutSeconds: 4,
    };
    this.link = new ReplicaLink({ history: this.history, rng, options });
  }

  write(value: number): void {
    if (this.master) return;
    this.data.push(value);
    const bytes = Buffer.from(`<${value}>`);
    this.source.feed(value % 3, bytes, 0, bytes.length);
  }

  follow(master: Node): void {
    if (master === this || this.master === master) return;
    this.master = master;
    this.linked(this.link.step(this.world.now, { kind: 'follow', host: '', port: master.name }));
  }

  promote(): void {
    if (!this.master) return;
    this.master = undefined;
    this.linked(this.link.step(this.world.now, { kind: 'stop' }));
    this.#did(this.source.promote(this.world.now));
  }

  tick(): void {
    this.linked(this.link.step(this.world.now, { kind: 'tick' }));
    this.#did(this.source.step(this.world.now, { kind: 'tick' }));
    for (const { client } of this.source.behind) this.source.sendStream(client);
    const running = this.#running;
    if (!running) return;
    this.#running = undefined;
    const bytes = Buffer.from(running.text);
    this.source.snapshotBytes(running.job, bytes, 0, bytes.length);
    this.#did(
      this.source.step(this.world.now, {
        kind: 'snapshotEnded',
        job: running.job,
        isComplete: true,
      }),
    );
  }

  /** Commands of a replica; answers how many bytes were whole. */
  serve(client: number, text: string): number {
    let at = 0;
    for (;;) {
      if (text[at] === '\n') {
        at++;
        continue;
      }
      const count = COMMAND.exec(text.slice(at))?.[1];
      if (count === undefined) return at;
      const words = text.slice(at).split('\r\n', 2 * Number(count) + 2);
      if (words.length < 2 * Number(count) + 2) return at;
      at += words.slice(0, -1).join('\r\n').length + 2;
      this.#command(
        client,
        words.slice(0, -1).filter((_, i) => i > 0 && i % 2 === 0),
      );
    }
  }

  #command(client: number, [name, ...args]: readonly string[]): void {
    const peer = { client, ip: '' };
    if (name === 'PING') this.world.down(client, '+PONG\r\n');
    if (name === 'REPLCONF') {
      const { result, effects } = this.source.replconf(
        this.world.now,
        peer,
        args.map((a) => Buffer.from(a)),
      );
      if (result.kind === 'ok') this.world.down(client, '+OK\r\n');
      this.#did(effects);
    }
    if (name !== 'PSYNC') return;
    const { upstream } = this.link;
    if (this.source.refusalOfSync(client, upstream)) {
      this.world.down(client, '-NOMASTERLINK\r\n');
      return;
    }
    const asked = { replid: args[0] ?? '', offset: Number(args[1]) };
    this.#did(this.source.step(this.world.now, { kind: 'sync', peer, asked, upstream }));
  }

  closed(client: number): void {
    this.#did(this.source.step(this.world.now, { kind: 'closed', client }));
  }

  #did(effects: readonly SourceEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'close') this.world.cut(effect.client);
      if (effect.kind === 'startSnapshot') {
        this.#running = { job: effect.job, text: `${effect.streamDb}|${this.data.join()}|` };
      }
      if (effect.kind === 'abortSnapshot' && this.#running?.job === effect.job)
        this.#running = undefined;
    }
  }

  linked(effects: readonly LinkEffect[]): void {
    for (const effect of effects) this.#linkDid(effect);
  }

  #linkDid(effect: LinkEffect): void {
    const { wire } = this;
    if (effect.kind === 'connect') {
      if (this.master) this.wire = this.world.connect(this, this.master);
    } else if (effect.kind === 'close') {
      this.wire = undefined;
      if (wire) this.world.cut(wire.client);
    } else if (effect.kind === 'send') {
      if (wire) wire.up += effect.bytes.toString('latin1');
    } else if (effect.kind === 'beginSnapshot') {
      this.#snapshot = '';
    } else if (effect.kind === 'snapshotBytes') {
      this.#snapshot += effect.buf.toString('latin1', effect.at, effect.at + effect.size);
    } else if (effect.kind === 'endSnapshot') {
      const [db, list] = this.#snapshot.split('|');
      this.data = list ? list.split(',').map(Number) : [];
      this.#stream = '';
      this.linked(this.link.step(this.world.now, { kind: 'snapshotLoaded', streamDb: Number(db) }));
    } else if (effect.kind === 'stream') {
      this.#stream += effect.buf.toString('latin1', effect.at, effect.at + effect.size);
      this.#apply();
    } else if (effect.kind === 'resetStream') {
      this.#stream = '';
    } else if (effect.kind === 'disconnectReplicas') {
      this.#did(this.source.disconnectAll(this.world.now));
    }
  }

  #apply(): void {
    for (let unit = UNIT.exec(this.#stream); unit; unit = UNIT.exec(this.#stream)) {
      this.#stream = this.#stream.slice(unit[0].length);
      if (unit[1] !== undefined) this.data.push(Number(unit[1]));
      const bytes = Buffer.from(unit[0]);
      this.source.relay(bytes, 0, bytes.length);
    }
  }
}

class World {
  now: MonoMs = monoMs(1000);
  readonly nodes: readonly Node[];
  readonly #wires: Map<number, Wire> = new Map();
  readonly #rng: Rng;
  #nextClient = 1;
  isReachable = true;

  constructor(seed: number) {
    this.#rng = seededRng(seed);
    this.nodes = [0, 1, 2].map((name) => new Node(this, name, this.#rng));
  }

  connect(from: Node, to: Node): Wire {
    const wire = { client: this.#nextClient++, from, to, up: '', down: '', isOpen: false };
    this.#wires.set(wire.client, wire);
    return wire;
  }

  down(client: number, text: string): void {
    const wire = this.#wires.get(client);
    if (wire) wire.down += text;
  }

  cut(client: number): void {
    const wire = this.#wires.get(client);
    if (!wire) return;
    this.#wires.delete(client);
    wire.to.closed(client);
    if (wire.from.wire !== wire) return;
    wire.from.wire = undefined;
    wire.from.linked(
      wire.from.link.step(
        this.now,
        wire.isOpen ? { kind: 'closed' } : { kind: 'connectFailed', reason: '' },
      ),
    );
  }

  cutAll(): void {
    for (const client of [...this.#wires.keys()]) this.cut(client);
  }

  /** Time passes; each connection carries some of its bytes. */
  turn(ms: number): void {
    this.now = monoMs(this.now + ms);
    for (const node of this.nodes) node.tick();
    for (const wire of [...this.#wires.values()]) this.#carry(wire);
  }

  #carry(wire: Wire): void {
    if (!this.isReachable || !this.#wires.has(wire.client)) return;
    if (!wire.isOpen) {
      wire.isOpen = true;
      wire.from.linked(wire.from.link.step(this.now, { kind: 'connected' }));
      return;
    }
    wire.up = wire.up.slice(wire.to.serve(wire.client, wire.up));
    const size = Math.min(wire.down.length, 1 + this.#rng.below(120));
    const bytes = Buffer.from(wire.down.slice(0, size), 'latin1');
    wire.down = wire.down.slice(size);
    if (size > 0 && wire.from.wire === wire) {
      wire.from.linked(wire.from.link.receive(this.now, bytes, 0, size));
    }
  }
}

const node = fc.nat(2);
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), node }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('turns' as const), count: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('silence' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('promote' as const), node }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('follow' as const), node, master: node }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('failover' as const),
      node,
      lost: fc.nat(3),
      own: fc.nat(3),
    }),
  },
);

function turns(world: World, count: number, ms: number): void {
  for (let i = 0; i < count; i++) world.turn(ms);
}

test('nodes that follow each other end with the same data', () => {
  fc.assert(
    fc.property(fc.nat(), fc.array(action, { maxLength: 40 }), (seed, script) => {
      const world = new World(seed);
      const [a, b, c] = world.nodes as [Node, Node, Node];
      b.follow(a);
      c.follow(b);
      let value = 0;
      for (const step of script) {
        const one = 'node' in step ? world.nodes[step.node]! : a;
        if (step.kind === 'write') for (let i = 0; i < 20; i++) one.write(value++);
        else if (step.kind === 'turns') turns(world, step.count, 20);
        else if (step.kind === 'cut') world.cutAll();
        else if (step.kind === 'failover') {
          // The old master takes writes that its replica never sees, and then follows it.
          const old = one.master;
          for (let i = 0; i < step.lost; i++) old?.write(value++);
          one.promote();
          for (let i = 0; i < step.own; i++) one.write(value++);
          old?.follow(one);
        } else if (step.kind === 'promote') one.promote();
        else if (step.kind === 'follow') one.follow(world.nodes[step.master]!);
        else {
          world.isReachable = false;
          turns(world, 60, 100);
          world.isReachable = true;
        }
      }
      a.promote();
      b.follow(a);
      c.follow(b);
      turns(world, 400, 50);
      // A ping under way would be a difference.
      a.source.arePingsHeld = true;
      a.write(value++);
      turns(world, 200, 50);
      expect(b.data).toEqual(a.data);
      expect(c.data).toEqual(a.data);
      expect(c.history.masterReplOffset).toBe(a.history.masterReplOffset);
      expect(c.history.replid).toBe(a.history.replid);
    }),
    { seed: 41, numRuns: 300 },
  );
});
