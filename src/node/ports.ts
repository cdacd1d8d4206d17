/**
 * How the node meets the world: connections, files, the alarm clock, the process. `io/` implements
 * these with Node.js, `sim/` with a seeded virtual world.
 */
import type { Clock, MonoMs, Rng } from '../base/index.ts';
import type { LogLevel, SystemFacts } from '../commands/index.ts';
import type { TouchMemory } from '../keyspace/index.ts';

/** Where a connection goes from and to. */
export interface WireFacts {
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
  /** Whether it came through the unix socket. */
  readonly isUnixSocket: boolean;
  /** Whether it is encrypted; undefined like false. */
  readonly isTls?: boolean;
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
  /**
   * During a `data` event: the bytes of the next one should be put there, to spare a copy. Whether they were is seen by
   * the buffer that comes with them; until then it belongs to the wire.
   */
  readInto?(buf: Buffer): void;
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

/**
 * What a connection is for: the bus, other talk between the nodes of a cluster, or the rest (a master and its replica, a
 * Sentinel and what it watches). Directives say for each whether it is encrypted.
 */
export type WirePurpose = 'bus' | 'cluster' | 'data';

export interface Network {
  /** Opens a connection; `opened` or `closed` follows, never before the call returns. */
  connect(
    target: { readonly host: string; readonly port: number; readonly purpose: WirePurpose },
    events: WireEvents,
  ): Wire;
}

/**
 * How a state is saved. `soon`: within moments, nobody waits for it. `promise`: it survives a power cut from the return
 * on, and the file itself follows soon. `whole`: the file itself has it when the call returns.
 */
export type SaveManner = 'soon' | 'promise' | 'whole';

/** A file opened to be read from its start. */
export interface FileReader {
  /** Bytes, when it was opened. */
  readonly size: number;
  /** Fills `buf` from its start; how many bytes that were, 0 at the end, or a text that says why not. */
  read(buf: Buffer): number | string;
  close(): void;
}

/** A file being written aside, to take the place of another when it is whole. */
export interface FileDraft {
  /** Appends a copy. */
  write(buf: Buffer): void;
  /** Bytes accepted and not yet written. */
  readonly pendingBytes: number;
  /** Brings everything to disk, then renames it to `name`, which is on disk when `ended` comes. */
  commit(name: string): void;
  /** Removes it. No event follows. */
  abandon(): void;
}

export interface FileDraftEvents {
  /** What was pending is written. */
  drained(): void;
  /**
   * Comes once unless it was abandoned: after `commit`, or before it when writing failed. Without a
   * failure the file is in its place; with one (an action and the reason) nothing is left of it.
   */
  ended(failure: string | undefined): void;
}

export interface FileDraftOptions {
  /** Name until it is committed. */
  readonly name: string;
  /**
   * Whether each call does its work before it returns, `ended` included. Otherwise the disk works
   * beside, and events come later, never during a call.
   */
  readonly isWaiting: boolean;
  /** Brings what was written to disk after every so many bytes; 0: only at the end. */
  readonly syncEveryBytes: number;
}

/** A file that grows at its end, in sight of everybody. */
export interface GrowingFile {
  /** Bytes it has. */
  readonly size: number;
  /** Adds `buf[at, at + size)`. Why it failed; `size` then tells how many of them are in the file: none, or what could not be taken back. */
  write(buf: Buffer, at: number, size: number): string | undefined;
  /** Waits until all its bytes are on disk; why they are not. */
  sync(): string | undefined;
  /** The same without waiting; `done` comes later, in no turn of the node. */
  syncSoon(done: (failure: string | undefined) => void): void;
  close(): void;
}

/** A file that is there and cannot be read. */
export interface UnreadFile {
  readonly failure: string;
}

/** Files of the working directory; names may have a directory before them. */
export interface Files {
  /** The text (one character a byte) of a file, or why it cannot be read; undefined when there is none. */
  read(name: string): string | UnreadFile | undefined;
  /** Replaces a file: a power cut leaves the old or the new one, whole, and after the return the new one. Returns why it failed. */
  replace(name: string, text: string): string | undefined;
  /** The text last saved by `saveState`, as far as it is on disk, or why not; undefined when there is no such file. */
  readState(name: string): string | UnreadFile | undefined;
  /**
   * Saves a file that holds promises; a power cut leaves some text that was saved, whole, never one older than the last
   * promise. Returns why it, or one before it, failed.
   */
  saveState(name: string, text: string, manner: SaveManner): string | undefined;
  /** Opens a large file; undefined when there is none, a text when it cannot be read. */
  open(name: string): FileReader | string | undefined;
  /** Begins a large file. */
  draft(options: FileDraftOptions, events: FileDraftEvents): FileDraft;
  /** Opens a file that grows in place: an empty one, or behind what is there. A text says why that failed. */
  grow(name: string, from: 'empty' | 'end'): GrowingFile | string;
  /** Bytes of a file; undefined when there is none. */
  sizeOf(name: string): number | undefined;
  /** Gives a file another name, in place of whatever had it. Like the next ones returns why it failed, if so. */
  rename(from: string, to: string): string | undefined;
  /** Deletes a file; it is no failure when there is none. */
  remove(name: string): string | undefined;
  /** Cuts a file to its first `size` bytes. */
  truncate(name: string, size: number): string | undefined;
  /** The absolute path of a directory that files can be in, or why it is none. */
  directory(name: string): string | UnreadFile;
  /** Makes a directory; it is no failure when it is there. */
  makeDirectory(name: string): string | undefined;
}

/** A place for a second node with a copy of the data, which nobody else can enter. */
export interface CopyPlace {
  /** Where the data is to be, as an RDB file; for `Files`. */
  readonly dataFile: string;
  /** Starts the node, with these lines of configuration. */
  start(config: string, events: CopyEvents): void;
  /** Ends the node and leaves nothing of the place. */
  remove(): void;
}

/** What becomes of a copy; each comes later, in no turn of the node. */
export interface CopyEvents {
  /** It has loaded the data and serves this connection, of which nothing has been read. */
  served(wire: Wire): WireEvents;
  /** It could not start, or has ended before it served. */
  failed(reason: string): void;
}

/** The process of this node, which has nothing else in it. */
export interface OwnProcess {
  setTitle(title: string): void;
  /** How readily the system kills it when memory runs out, -1000 to 1000, or why that cannot be told. */
  readOomScore(): number | string;
  /** Why it failed, if so. */
  writeOomScore(score: number): string | undefined;
}

export interface Ports {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly network: Network;
  readonly files: Files;
  readonly system: SystemFacts;
  log(level: LogLevel, text: string): void;
  /**
   * Listens for clients on the port and addresses that the settings say now, and no longer on those
   * before. `done` tells, after the call has returned, whether that worked; if not, the old ones stay.
   */
  listenAnew(done: (isListening: boolean) => void): void;
  /**
   * Reads anew the keys and certificates that the settings name, for connections that are made from now on. A text says
   * why they will not do; then the old ones stay. Without it nothing is encrypted.
   */
  configureTls?(): string | undefined;
  /** Asks for `node.wake()` at this moment; replaces the moment asked for before. */
  setAlarm(at: MonoMs): void;
  /** Asks for `node.work()` soon, after input that waits now (for snapshots in slices). */
  callSoon(): void;
  /**
   * Asks for `node.send()` once all input that is there now has been handled, so that the replies to many
   * clients leave together. Without it replies leave at the end of each turn.
   */
  sendSoon?(): void;
  /** Gets memory ahead of loads; without it memory comes when it is needed. */
  readonly touchMemory?: TouchMemory;
  /** Without it the process is somebody else's, and stays as it is. */
  readonly ownProcess?: OwnProcess;
  /** Makes places for copies of the node, which end with it; a text says why there is none. Without it there are no copies. */
  readonly copies?: { makePlace(): CopyPlace | string };
  /** Blocks the whole process (DEBUG SLEEP). */
  sleep(ms: number): void;
  /** The node has shut down; the process may end. */
  ended(exitCode: number): void;
}

/** A program that runs beside. */
export interface RunningScript {
  kill(): void;
}

/** What a Sentinel needs of its machine beyond the ports of every node. */
export interface SentinelWorld {
  isExecutable(path: string): boolean;
  /** Runs a program. `ended` comes later, in no turn of the node; without an exit code when it was killed or could not start. */
  run(
    path: string,
    args: readonly string[],
    ended: (exitCode: number | undefined) => void,
  ): RunningScript;
  /** Finds the address of a host. `done` comes later, in no turn of the node. */
  resolve(host: string, done: (ip: string | undefined) => void): void;
}
