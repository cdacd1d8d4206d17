/**
 * How the node meets the world: connections, files, the alarm clock, the process. `io/` implements
 * these with Node.js, `sim/` with a seeded virtual world.
 */
import type { Clock, MonoMs, Rng } from '../base/index.ts';
import type { LogLevel, SystemFacts } from '../commands/index.ts';

/** Where a connection goes from and to. */
export interface WireFacts {
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
  /** Whether it came through the unix socket. */
  readonly isUnixSocket: boolean;
  readonly fd: number;
}

/** One end of a byte stream. */
export interface Wire extends WireFacts {
  /**
   * Sends `buf[0, size)`. True: all of it was taken or copied, the buffer is the caller's again.
   * False: the wire keeps the buffer. Before the stream is open, bytes wait.
   */
  write(buf: Buffer, size: number): boolean;
  /** Bytes accepted and not yet taken by the system. */
  readonly pendingBytes: number;
  /** Reads no more until `resume`, so that the peer is slowed down. */
  pause(): void;
  resume(): void;
  /** Closes once what was written is out. */
  end(): void;
  /** Closes now. No event follows a call of `end` or `destroy` but `closed`. */
  destroy(): void;
}

/** What happens on a wire. `closed` comes once, at last, whoever closed. */
export interface WireEvents {
  /** Only for connections that we opened. */
  opened?(): void;
  /** `buf[0, size)` arrived; the buffer is valid until the call returns. */
  data(buf: Buffer, size: number): void;
  /** What was pending has been taken by the system. */
  drained?(): void;
  /** `reason`: why, when it was an error. */
  closed(reason: string | undefined): void;
}

export interface Network {
  /** Opens a connection; `opened` or `closed` follows, never before the call returns. */
  connect(
    target: { readonly host: string; readonly port: number; readonly purpose: 'bus' | 'data' },
    events: WireEvents,
  ): Wire;
}

export interface Files {
  /** The text (one character a byte) of a file in the working directory; undefined when there is none. */
  read(name: string): string | undefined;
  /**
   * Replaces a file whole: written aside, synced if asked, renamed. Returns why it failed, undefined
   * when it is done. A power cut leaves the old or the new file, whole; with `isSynced` the new one.
   */
  replace(name: string, text: string, isSynced: boolean): string | undefined;
}

/** A data file that grows at its end. */
export interface OutputFile {
  /** Bytes it has. */
  readonly size: number;
  /** Adds `buf[at, at + size)`. Why it failed, and then none of these bytes are in the file. */
  write(buf: Buffer, at: number, size: number): string | undefined;
  /** Waits until all its bytes are on disk; why they are not. */
  sync(): string | undefined;
  /** The same without waiting; `done` comes later, in no turn of the node. */
  syncSoon(done: (failure: string | undefined) => void): void;
  close(): void;
}

/** A data file that is read from its start to its end. */
export interface InputFile {
  /** Bytes it had when it was opened. */
  readonly size: number;
  /** Reads at most `size` bytes into `buf[at, …)`: how many there were, 0 at the end, or why it failed. */
  read(buf: Buffer, at: number, size: number): number | string;
  close(): void;
}

/** Large files of the working directory, in pieces; names may have a directory before them. Failures are the system's words. */
export interface Disk {
  /** Opens a file to write: `create` makes an empty one, `append` goes on at the end of what is there. */
  openOutput(
    name: string,
    mode: 'create' | 'append',
  ): { readonly file: OutputFile } | { readonly failure: string };
  /** Opens a file to read; undefined when there is none. */
  openInput(name: string): { readonly file: InputFile } | { readonly failure: string } | undefined;
  /** Size of a file in bytes; undefined when there is none. */
  sizeOf(name: string): number | undefined;
  /** Gives a file another name, in place of whatever had it; after a power cut it has one of the two. */
  rename(from: string, to: string): string | undefined;
  /** Deletes a file; it is no failure when there is none. */
  remove(name: string): string | undefined;
  /** Cuts a file to its first `size` bytes. */
  truncate(name: string, size: number): string | undefined;
  /** Makes a directory; it is no failure when it is there. */
  makeDirectory(name: string): string | undefined;
}

export interface Ports {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly network: Network;
  readonly files: Files;
  readonly disk: Disk;
  readonly system: SystemFacts;
  log(level: LogLevel, text: string): void;
  /**
   * Listens for clients on the port and addresses that the settings say now, and no longer on those
   * before. `done` tells, after the call has returned, whether that worked; if not, the old ones stay.
   */
  listenAnew(done: (isListening: boolean) => void): void;
  /** Asks for `node.wake()` at this moment; replaces the moment asked for before. */
  setAlarm(at: MonoMs): void;
  /** Asks for `node.work()` soon, after input that waits now (for snapshots in slices). */
  callSoon(): void;
  /**
   * Asks for `node.send()` once all input that is there now has been handled, so that the replies to many
   * clients leave together. Without it replies leave at the end of each turn.
   */
  sendSoon?(): void;
  /** Blocks the whole process (DEBUG SLEEP). */
  sleep(ms: number): void;
  /** The node has shut down; the process may end. */
  ended(exitCode: number): void;
}
