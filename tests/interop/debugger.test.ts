/**
 * Goal: a session of the debugger of scripts is the same with our server and the real one, on the data itself and on a copy.
 * Method: the recorded sessions are run on both, and each must say what is written. With RECORD_DEBUGGER set, what the real
 * server says is written down first.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Conversation, readScripts, transcript } from '../golden/debugger/sessions.ts';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SERVER, REAL_SERVER, describeWithRealRedis, required } from './harness/programs.ts';

const BOUND_MS = 15_000;
const GOLDEN = join(import.meta.dirname, '..', 'golden', 'debugger');
const FILES = readdirSync(GOLDEN).filter((name) => name.endsWith('.txt'));
const IS_RECORDING = process.env['RECORD_DEBUGGER'] !== undefined;

/** One connection, on which a session takes place, and another that prepares it. */
class SocketConversation implements Conversation {
  readonly #node: NodeProcess;
  readonly #socket: Socket;
  #received = '';
  #isClosed = false;
  /** Something has come. */
  #noticed: () => void = () => undefined;

  constructor(node: NodeProcess) {
    this.#node = node;
    this.#socket = connect(node.port, '127.0.0.1');
    this.#socket.on('data', (bytes: Buffer) => {
      this.#received += bytes.toString('latin1');
      this.#noticed();
    });
    this.#socket.on('close', () => {
      this.#isClosed = true;
      this.#noticed();
    });
    this.#socket.on('error', () => undefined);
  }

  async prepare(args: readonly string[]): Promise<void> {
    await this.#node.call(...args);
  }

  async send(args: readonly string[]): Promise<string> {
    this.#received = '';
    const parts = args.map((arg) => `$${arg.length}\r\n${arg}\r\n`);
    this.#socket.write(`*${args.length}\r\n${parts.join('')}`, 'latin1');
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`No answer to "${args.join(' ')}", only "${this.#received}"`)),
        BOUND_MS,
      );
      this.#noticed = () => {
        if (!this.#hasAnswer) return;
        clearTimeout(timer);
        resolve();
      };
      this.#noticed();
    });
    return this.#received;
  }

  /** The end of a session is followed by the script's answer and the end of the connection. */
  get #hasAnswer(): boolean {
    const text = this.#received;
    if (this.#isClosed) return true;
    if (text.includes('+<endsession>\r\n')) return false;
    const count = text.startsWith('*') ? Number.parseInt(text.slice(1), 10) + 1 : 1;
    return text.split('\r\n').length > count;
  }

  close(): void {
    this.#socket.destroy();
  }
}

describeWithRealRedis('sessions of the debugger', () => {
  const dir = mkdtempSync(join(tmpdir(), 'slotline-debugger-'));
  let ours: NodeProcess;
  let real: NodeProcess;

  beforeAll(async () => {
    const [first = 0, second = 0] = await freePorts(2);
    const realExe = required(REAL_SERVER, 'redis-server');
    ours = new NodeProcess({ exe: OUR_SERVER, port: first, dir: join(dir, 'ours') });
    real = new NodeProcess({ exe: realExe, port: second, dir: join(dir, 'real') });
    await Promise.all([ours.start(), real.start()]);
  });
  afterAll(async () => {
    await Promise.all([ours.kill(), real.kill()]);
    rmSync(dir, { recursive: true, force: true });
  });

  /** All sessions of a file, one after the other, as the server has them. */
  async function sessions(node: NodeProcess, recorded: string, mode: string): Promise<string> {
    let found = '';
    for (const script of readScripts(recorded)) {
      await node.call('FLUSHALL');
      const talk = new SocketConversation(node);
      try {
        found += await transcript(script, talk, mode);
      } finally {
        talk.close();
      }
    }
    return found;
  }

  describe.each(FILES)('%s', (file) => {
    const path = join(GOLDEN, file);

    test.each(['SYNC'])('with SCRIPT DEBUG %s', async (mode) => {
      let recorded = readFileSync(path, 'latin1');
      const theirs = await sessions(real, recorded, mode);
      if (IS_RECORDING) writeFileSync(path, theirs, 'latin1');
      recorded = readFileSync(path, 'latin1');
      expect(theirs).toBe(recorded);
      expect(await sessions(ours, recorded, mode)).toBe(recorded);
    });
  });
});
