/** One server process in a folder of its own, started like redis-server; only its own pid is ever signalled. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Reply, RespConnection } from './resp-connection.ts';
import { TLS_CONFIG } from './tls.ts';
import { GiveUp, until } from './until.ts';

const START_BOUND_MS = 30_000;
const STOP_BOUND_MS = 10_000;
const BUS_OFFSET = 10_000;

export interface NodeOptions {
  readonly exe: string;
  readonly port: number;
  /** Folder of this node; made when it is not there. */
  readonly dir: string;
  /** Lines added to the configuration file. */
  readonly config?: readonly string[];
  /** Whether it speaks nothing but TLS. */
  readonly isTls?: boolean;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class NodeProcess {
  readonly exe: string;
  readonly port: number;
  readonly dir: string;
  readonly #logFile: string;
  readonly #isTls: boolean;
  #child: ChildProcess | undefined;
  #exitCode: number | undefined;
  #connection: RespConnection | undefined;

  constructor({ exe, port, dir, config = [], isTls = false }: NodeOptions) {
    this.exe = exe;
    this.#isTls = isTls;
    this.port = port;
    this.dir = dir;
    this.#logFile = join(dir, 'log');
    mkdirSync(dir, { recursive: true });
    const ports = isTls ? ['port 0', `tls-port ${port}`, ...TLS_CONFIG] : [`port ${port}`];
    const lines = [...ports, 'bind 127.0.0.1', 'save ""', 'daemonize no', ...config];
    writeFileSync(join(dir, 'redis.conf'), `${lines.join('\n')}\n`);
    writeFileSync(this.#logFile, '');
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Of the process that ended last; undefined while it runs or when a signal ended it. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** Starts the process and waits until it answers. */
  async start(): Promise<void> {
    this.launch();
    await until(
      async () => {
        if (!this.isRunning) {
          throw new GiveUp(`${this.exe} ended at the start:\n${this.log().slice(-2000)}`);
        }
        return (await this.call('PING')) === 'PONG';
      },
      START_BOUND_MS,
      `${this.exe} answers on port ${this.port}`,
    );
  }

  /** Starts the process without waiting for it. */
  launch(): void {
    const child = spawn(this.exe, ['redis.conf'], {
      cwd: this.dir,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#exitCode = undefined;
    running.add(child);
    const keep = (chunk: Buffer): void => appendFileSync(this.#logFile, chunk);
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('error', (error) => keep(Buffer.from(`${error.message}\n`)));
    child.on('close', (code) => {
      running.delete(child);
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#exitCode = code ?? undefined;
    });
  }

  /** kill -9, and waits for the end of the process. */
  async kill(): Promise<void> {
    await this.signal('SIGKILL');
  }

  /** Sends a signal that ends the process, and waits for that. */
  async signal(name: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.disconnect();
    if (child === undefined) return;
    child.kill('SIGCONT');
    child.kill(name);
    await this.ended();
  }

  async ended(): Promise<void> {
    await until(() => !this.isRunning, STOP_BOUND_MS, `the process on port ${this.port} ends`);
    this.disconnect();
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  disconnect(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  async call(...args: readonly (string | number | Buffer)[]): Promise<Reply> {
    if (this.#connection === undefined || !this.#connection.isOpen) {
      this.#connection = await RespConnection.open(this.port, this.#isTls);
    }
    return this.#connection.call(...args);
  }

  async text(...args: readonly (string | number | Buffer)[]): Promise<string> {
    return String(await this.call(...args));
  }

  /** `field:value` lines of INFO, CLUSTER INFO and their like. */
  async facts(...args: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const facts = new Map<string, string>();
    for (const line of (await this.text(...args)).split('\r\n')) {
      const colon = line.indexOf(':');
      if (colon > 0) facts.set(line.slice(0, colon), line.slice(colon + 1));
    }
    return facts;
  }

  /** Standard output and error since the first start. */
  log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  file(name: string): string {
    return readFileSync(join(this.dir, name), 'utf8');
  }
}

// Each test process begins somewhere else, so that two runs at once seldom meet, and files of one run that are
// tested at once never do. The bus ports too stay below those that the system gives to outgoing connections.
const PORT_FIRST = 15_700;
const PORT_COUNT = 7000;
const [rangeFirst, rangeLast] = (process.env['SLOTLINE_TEST_PORTS'] ?? '').split('-').map(Number);
const { VITEST_POOL_ID: lane = '1' } = process.env;
const LANES = 2;
const count = Math.floor(
  (rangeFirst && rangeLast ? rangeLast - rangeFirst + 1 : PORT_COUNT) / LANES,
);
const first = (rangeFirst || PORT_FIRST) + (Number(lane) % LANES) * count;
let nextPort = (process.pid * 37) % count;

/** Ports that are free now, as is the bus port of each. */
export async function freePorts(wanted: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < wanted; tries++) {
    if (tries > count) throw new Error(`Cannot find ${wanted} free ports from ${first}: taken`);
    const port = first + (nextPort++ % count);
    if ((await isFree(port)) && (await isFree(port + BUS_OFFSET))) ports.push(port);
  }
  return ports;
}

/** The first of so many ports that follow each other. */
export async function freePortsInARow(count: number): Promise<number> {
  for (;;) {
    const found = await freePorts(count);
    const [first = 0] = found;
    if (found.every((each, index) => each === first + index)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}
