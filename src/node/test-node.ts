/** Support of the node's tests: one whole node over ports that only a test moves. */
import { type MonoMs, monoMs, seededRng, unixMs } from '../base/index.ts';
import { loadConfig } from '../config/index.ts';
import { Node } from './node.ts';
import { MemoryFiles } from './memory-files.ts';
import type { Ports, Wire, WireEvents, WireFacts } from './ports.ts';

const UNIX_START = 1_700_000_000_000;

/** A connection at whose other end nothing happens. */
const silentWire: Wire = {
  remoteIp: '127.0.0.1',
  remotePort: 40_000,
  localIp: '127.0.0.1',
  localPort: 6379,
  isUnixSocket: false,
  fd: 9,
  pendingBytes: 0,
  write: () => true,
  pause: () => undefined,
  resume: () => undefined,
  end: () => undefined,
  destroy: () => undefined,
};

/** The far end of a client connection. */
export class TestClient {
  /** All that the node sent, one character a byte. */
  received = '';
  isClosed = false;
  /** Whether it takes what is sent to it. */
  isReading = true;
  /** Whether the node gets bytes where it has asked for them, */
  placesBytes = true;
  /** and how many it got there. */
  placedBytes = 0;
  #into: Buffer | undefined;
  readonly #events: WireEvents;

  constructor(node: Node, facts: Pick<WireFacts, 'remoteIp' | 'isTls'>) {
    const wire = {
      ...silentWire,
      ...facts,
      write: (buf: Buffer, size: number) => {
        if (!this.isReading) wire.pendingBytes += size;
        this.received += buf.toString('latin1', 0, size);
        return true;
      },
      readInto: (buf: Buffer) => {
        this.#into = buf;
      },
      end: () => {
        this.isClosed = true;
      },
      destroy: () => {
        this.isClosed = true;
      },
    };
    this.#events = node.accept(wire);
  }

  /** Sends bytes; returns what came back. */
  send(text: string): string {
    this.received = '';
    for (let rest = Buffer.from(text, 'latin1'); rest.length > 0;) {
      rest = rest.subarray(this.#put(rest));
    }
    return this.received;
  }

  /** Hands bytes over, as many as there is room for; how many those were. */
  #put(bytes: Buffer): number {
    const into = this.placesBytes ? this.#into : undefined;
    this.#into = undefined;
    const size = Math.min(bytes.length, into?.length ?? bytes.length);
    if (into !== undefined) {
      this.placedBytes += size;
      bytes.copy(into, 0, 0, size);
    }
    this.#events.data(into ?? bytes, size);
    return size;
  }

  /** Sends a command; returns what came back. */
  call(...args: readonly string[]): string {
    const parts = args.map((arg) => `$${arg.length}\r\n${arg}\r\n`);
    return this.send(`*${args.length}\r\n${parts.join('')}`);
  }

  disconnect(): void {
    this.#events.closed(undefined);
  }
}

/** The far end of a connection that the node opened. */
export class FarEnd {
  /** All that the node sent, one character a byte. */
  sent = '';
  isClosed = false;
  readonly wire: Wire;
  readonly #events: WireEvents;

  constructor(events: WireEvents) {
    this.#events = events;
    this.wire = {
      ...silentWire,
      write: (buf: Buffer, size: number) => {
        this.sent += buf.toString('latin1', 0, size);
        return true;
      },
      destroy: () => {
        this.isClosed = true;
      },
    };
  }

  open(): void {
    this.#events.opened?.();
  }

  say(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.#events.data(bytes, bytes.length);
  }
}

export class TestNode {
  readonly node: Node;
  nowMs = 5000;
  alarmAt: MonoMs | undefined;
  endedWith: number | undefined;
  /** Why the node could not start. */
  flaw: string | undefined;
  sendsAsked = 0;
  /** Connections that it opened. */
  readonly opened: FarEnd[] = [];
  /** What it told its log. */
  readonly logs: string[] = [];
  /** What happens after the present call: slices of work, and the disk. */
  readonly later: (() => void)[] = [];
  readonly files: MemoryFiles = new MemoryFiles((run) => void this.later.push(run));
  /** Microseconds by which the forward clock moves at every reading. */
  stepUs = 0;
  #readings = 0;

  /**
   * @param sendsTogether replies wait until the test calls `node.send()`
   * @param onDisk files that are there at the start, by name
   * @param more ports beside those that every test has, or in their place
   */
  constructor(
    configText = '',
    sendsTogether = false,
    onDisk: Readonly<Record<string, string>> = {},
    more: Partial<Ports> = {},
  ) {
    for (const [name, text] of Object.entries(onDisk)) this.files.replace(name, text);
    const loaded = loadConfig({
      text: configText,
      reader: { read: () => ({ error: 'no files here' }), expand: (path) => [path] },
      isSentinel: false,
    });
    if (!loaded.ok) throw new Error(`bad test configuration: ${JSON.stringify(loaded.failure)}`);
    this.node = new Node({
      ports: { ...this.#ports(sendsTogether), ...more },
      config: loaded.config,
      configFile: '',
      onReady: (flaw) => {
        this.flaw = flaw;
      },
    });
    this.node.start();
  }

  connect(remoteIp = '127.0.0.1', isTls = false): TestClient {
    return new TestClient(this.node, { remoteIp, isTls });
  }

  /** Runs what waits to happen soon, and what follows from it. */
  settle(): void {
    for (let run = this.later.shift(); run !== undefined; run = this.later.shift()) run();
  }

  /** Lets time pass, with every alarm in it. */
  pass(ms: number): void {
    const end = this.nowMs + ms;
    while (this.alarmAt !== undefined && this.alarmAt <= end) {
      this.nowMs = this.alarmAt;
      this.node.wake();
    }
    this.nowMs = end;
  }

  #ports(sendsTogether: boolean): Ports {
    return {
      clock: {
        monoMs: () => monoMs(this.nowMs),
        monoUs: () => this.nowMs * 1000 + this.#readings++ * this.stepUs,
        unixMs: () => unixMs(UNIX_START + this.nowMs),
      },
      rng: seededRng(7),
      network: {
        connect: (_target, events) => {
          const end = new FarEnd(events);
          this.opened.push(end);
          return end.wire;
        },
      },
      files: this.files,
      system: {
        os: 'test',
        archBits: 64,
        runtimeVersion: '0.0.0',
        pid: 1,
        executable: 'test',
        version: '0',
        memory: () => ({ residentBytes: 0, heapBytes: 0 }),
        supervisor: 'no',
        totalMemoryBytes: 0,
        cpu: () => ({ userSeconds: 0, systemSeconds: 0 }),
      },
      log: (_level, text) => void this.logs.push(text),
      setAlarm: (at) => {
        this.alarmAt = at;
      },
      listenAnew: () => undefined,
      callSoon: () => void this.later.push(() => this.node.work()),
      ...(sendsTogether ? { sendSoon: () => void this.sendsAsked++ } : {}),
      sleep: () => undefined,
      ended: (exitCode) => {
        this.endedWith = exitCode;
      },
    };
  }
}
