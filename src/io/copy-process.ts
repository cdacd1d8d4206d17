/**
 * Copies of the server for the debugger of scripts: processes of its own program on a unix socket in a directory that
 * only its user may enter. A copy lives no longer than its original: it ends when its input does, which the system
 * closes however the original ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { quoteArgument } from '../base/index.ts';
import type { CopyEvents, CopyPlace, Ports } from '../node/index.ts';
import type { LogWriter } from './log-file.ts';
import { SocketWire } from './socket-wire.ts';
import { attempt, systemWords } from './system-words.ts';

/** Tells a process that it is a copy, and its directory. */
const COPY_MARK = 'SLOTLINE_COPY';
const PREFIX = 'slotline-copy-';
const SOCKET_NAME = 'socket';
const DATA_NAME = 'dump.rdb';
/** Between two tries to reach a copy that is starting or loading. */
const RETRY_MS = 20;
/** What is kept of the last words of a copy. */
const WORDS_MAX = 2000;
const PING = '*1\r\n$4\r\nPING\r\n';
const PONG = '+PONG\r\n';

export function machineCopies(log: LogWriter): NonNullable<Ports['copies']> {
  const remove = (directory: string): void => {
    const flaw = attempt(() => rmSync(directory, { recursive: true, force: true }));
    if (flaw !== undefined) log('warning', `Cannot remove "${directory}": ${flaw}`);
  };
  return {
    makePlace: () => {
      try {
        for (const directory of leftPlaces()) remove(directory);
        // Made for this user alone: mode 0700.
        const directory = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
        return new MachinePlace(directory, () => remove(directory));
      } catch (error) {
        return systemWords(error);
      }
    },
  };
}

/** To be called first: if this process is a copy, it ends with the process that started it, and leaves nothing. */
export function endWithOriginal(): void {
  const directory = process.env[COPY_MARK];
  if (directory === undefined) return;
  const end = (): void => {
    // Only a directory that was made for a copy is removed, whoever has set the mark.
    if (basename(directory).startsWith(PREFIX) && dirname(directory) === tmpdir()) {
      rmSync(directory, { recursive: true, force: true });
    }
    process.exit(0);
  };
  for (const event of ['end', 'close', 'error']) process.stdin.on(event, end);
  // Nobody reads what it says any more: that may be noticed first.
  for (const output of [process.stdout, process.stderr]) output.on('error', end);
  process.stdin.resume();
}

/** Places that a server has left which was killed before it had a copy to look after them. */
function leftPlaces(): string[] {
  return readdirSync(tmpdir()).flatMap((name) => {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) return [];
    const path = join(tmpdir(), name);
    return lstatSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.() ? [path] : [];
  });
}

/** Also true of what is not ours to ask about. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

class MachinePlace implements CopyPlace {
  readonly dataFile: string;
  readonly #directory: string;
  readonly #remove: () => void;
  #copy: CopyProcess | undefined;

  constructor(directory: string, remove: () => void) {
    this.#directory = directory;
    this.#remove = remove;
    this.dataFile = join(directory, DATA_NAME);
  }

  start(config: string, events: CopyEvents): void {
    try {
      this.#copy = new CopyProcess(this.#directory, config, events);
    } catch (error) {
      setImmediate(() => events.failed(systemWords(error)));
    }
  }

  remove(): void {
    // This process may end before it hears of the end of that one, which may be writing there until then.
    this.#copy?.kill(this.#remove);
    this.#remove();
  }
}

class CopyProcess {
  readonly #directory: string;
  readonly #events: CopyEvents;
  readonly #process: ChildProcess;
  #socket: Socket | undefined;
  /** It serves, or nobody waits for that. */
  #isOver = false;
  #hasEnded = false;
  /** What it has said last. */
  #words = '';

  constructor(directory: string, config: string, events: CopyEvents) {
    this.#directory = directory;
    this.#events = events;
    const file = join(directory, 'redis.conf');
    writeFileSync(file, `${config}\n${ownLines(directory)}`, { mode: 0o600 });
    const program = process.argv[1] ?? '';
    this.#process = spawn(process.execPath, [...process.execArgv, program, file], {
      cwd: directory,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, [COPY_MARK]: directory },
    });
    const keep = (chunk: Buffer): void => {
      this.#words = (this.#words + chunk.toString('latin1')).slice(-WORDS_MAX);
    };
    this.#process.stdout?.on('data', keep);
    this.#process.stderr?.on('data', keep);
    // Its input is never written to, and ends with this process.
    this.#process.stdin?.on('error', () => undefined);
    this.#process.on('error', (error) => this.#ended(systemWords(error)));
    this.#process.on('close', () => this.#ended(this.#words.trim() || 'the process has ended'));
    this.#connect();
  }

  /** Ends it at once. `done` comes when it has ended, if it had not before. */
  kill(done: () => void): void {
    this.#isOver = true;
    this.#socket?.destroy();
    if (this.#hasEnded) return;
    this.#process.once('close', done);
    this.#process.kill('SIGKILL');
  }

  #ended(reason: string): void {
    this.#hasEnded = true;
    this.#fail(reason);
  }

  #fail(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket?.destroy();
    this.#events.failed(reason);
  }

  #connect(): void {
    if (this.#isOver) return;
    const socket = connect(join(this.#directory, SOCKET_NAME));
    this.#socket = socket;
    socket.once('error', () => void setTimeout(() => this.#connect(), RETRY_MS));
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      socket.on('error', (error) => this.#fail(systemWords(error)));
      this.#awaitData(socket);
    });
  }

  /** While it loads its data it says so. */
  #awaitData(socket: Socket): void {
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (!answer.endsWith('\r\n')) return;
      if (answer === PONG) return this.#serve(socket);
      answer = '';
      setTimeout(() => void socket.write(PING), RETRY_MS);
    });
    socket.write(PING);
  }

  #serve(socket: Socket): void {
    if (this.#isOver) return;
    this.#isOver = true;
    rmSync(join(this.#directory, DATA_NAME), { force: true });
    socket.pause();
    socket.removeAllListeners('data').removeAllListeners('error');
    const wire = new SocketWire(socket, SOCKET_NAME);
    wire.start(this.#events.served(wire));
  }
}

/** Nobody else reaches it, and nothing of it is kept. */
function ownLines(directory: string): string {
  return [
    'port 0',
    `unixsocket ${quoteArgument(join(directory, SOCKET_NAME))}`,
    'unixsocketperm 700',
    `dir ${quoteArgument(directory)}`,
    `dbfilename ${DATA_NAME}`,
    'save ""',
    'appendonly no',
    'loglevel warning',
    '',
  ].join('\n');
}
