/**
 * Goal: a session of the debugger of scripts is the same with our server and the real one, on the data itself and on a copy.
 * Method: the recorded sessions are run on both, and each must say what is written. With RECORD_DEBUGGER set, what the real
 * server says is written down first.
 */
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Conversation, readScripts, transcript } from '../golden/debugger/sessions.ts';
import { BothServers } from './harness/both-servers.ts';
import type { NodeProcess } from './harness/node-process.ts';
import { REDIS_CLI, SCRIPT_PROGRAM, describeWithRealRedis, required } from './harness/programs.ts';

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
  const servers = new BothServers();

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

    // On a copy each session takes a process: the longest ones are left out.
    test.each(file === 'endings.txt' || file === 'stepping.txt' ? ['SYNC'] : ['SYNC', 'YES'])(
      'with SCRIPT DEBUG %s',
      async (mode) => {
        let recorded = readFileSync(path, 'latin1');
        const theirs = await sessions(servers.real, recorded, mode);
        if (IS_RECORDING) writeFileSync(path, theirs, 'latin1');
        recorded = readFileSync(path, 'latin1');
        expect(theirs).toBe(recorded);
        expect(await sessions(servers.ours, recorded, mode)).toBe(recorded);
        if (mode === 'YES')
          expect(await servers.ours.call('DBSIZE')).toBe(await servers.real.call('DBSIZE'));
      },
    );
  });

  test.each(['ldb', 'ldb-sync-mode'])('redis-cli --%s shows the same of both', async (option) => {
    const script = join(servers.dir, 'script.lua');
    writeFileSync(script, SCRIPT);
    const shown = await Promise.all(
      servers.all.map(async ({ port }) =>
        terminal(port, [`--${option}`, '--eval', script, 'k', ',', '5']),
      ),
    );
    expect(shown[0]).toBe(shown[1]);
    expect(shown[0]).toContain('->#4     a = a + i');
    expect(shown[0]).toContain('(integer) 8');
    for (const node of servers.all) {
      expect(await node.call('GET', 'k')).toBe(option === 'ldb' ? null : '5');
      await node.call('DEL', 'k');
    }
  });
});

const SCRIPT = `local a = tonumber(ARGV[1])
redis.call('set', KEYS[1], a)
for i = 1, 2 do
  a = a + i
end
return a
`;
const TYPED = ['s', 's', 'p', 'p a', 'b 4', 'c', 't', 'c', 'e 1 + 1', 'r get k', 'b 0', 'w', 'c'];

/** What a terminal shows of a session of redis-cli, in which a line is typed at each prompt. */
function terminal(port: number, args: readonly string[]): Promise<string> {
  const command = [required(REDIS_CLI, 'redis-cli'), '-p', String(port), ...args].join(' ');
  const child = spawn(required(SCRIPT_PROGRAM, 'script'), ['-qec', command, '/dev/null'], {
    env: { ...process.env, TERM: 'dumb' },
  });
  let shown = '';
  let at = 0;
  child.stdout.on('data', (bytes: Buffer) => {
    shown += bytes.toString('latin1');
    if (shown.includes('session ended')) child.stdin.write('\x04');
    else if (shown.endsWith('lua debugger> ')) child.stdin.write(`${TYPED[at++] ?? 'abort'}\n`);
  });
  return new Promise((done) => {
    const timer = setTimeout(() => child.kill(), BOUND_MS);
    child.on('close', () => {
      clearTimeout(timer);
      done(shown.replaceAll(/127\.0\.0\.1:\d+> .*/g, ''));
    });
  });
}
