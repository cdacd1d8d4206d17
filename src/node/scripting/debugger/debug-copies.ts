/**
 * SCRIPT DEBUG YES: the script runs in a second process, on a copy of the data that is lost with it. The data of this moment goes
 * into a file as at BGSAVE, a node starts on that in a place of its own, and the client talks to it through this one.
 * Divergence: redis-server forks. The copy knows nothing of a cluster or of a master.
 */
import type { InputTap, Session } from '../../../commands/index.ts';
import { type Settings, rewriteConfig } from '../../../config/index.ts';
import type { Request } from '../../../resp/index.ts';
import type { CopyPlace, Ports, Wire, WireEvents } from '../../ports.ts';
import { SnapshotFile, type SnapshotFileHost } from '../../snapshot-file.ts';
import { RdbFormat, type RdbFormatHost } from '../../snapshot-format.ts';
import { type Turns, eventsInTurns } from '../../turns.ts';
import { Greeting } from './copy-greeting.ts';

export interface DebugCopiesHost extends SnapshotFileHost, RdbFormatHost, Turns {
  readonly settings: Settings;
  readonly ports: SnapshotFileHost['ports'] & Pick<Ports, 'copies'>;
  unblockSession(session: Session): void;
}

/** Each is a whole process with all the data. */
const COPIES_MAX = 4;
/** What a client sends before its copy is there. */
const WAITING_BYTES_MAX: number = 1024 * 1024;
/** Above this the copy is read no further until the client has taken some. */
const OUTPUT_BYTES_MAX: number = 1024 * 1024;

const ERR_NOT_HERE =
  'ERR Scripts cannot be debugged on a copy of the data here, use SCRIPT DEBUG SYNC';
const ERR_TOO_MANY = 'ERR Too many scripts are debugged on copies of the data, try again later';
const ERR_FAILED = 'ERR Cannot debug the script on a copy of the data';
const SNAPSHOT_FLAW = 'too many snapshots are being made';

/** Settings that a script may notice; all others are those of a node that nobody else uses. */
const KEPT_SETTINGS =
  /^(?:databases|maxmemory.*|busy-reply-threshold|proto-max-bulk-len|client-query-buffer-limit|acl-pubsub-default|list-compress-depth|.*-max-(?:listpack|intset|sparse|bytes|entries).*) /;

export class DebugCopies {
  readonly #host: DebugCopiesHost;
  readonly #copies: Set<DebugCopy> = new Set<DebugCopy>();

  constructor(host: DebugCopiesHost) {
    this.#host = host;
  }

  /** Begins a session with a call of EVAL, which the copy answers. An error's text if that cannot be. */
  begin(client: Session, request: Request): string | undefined {
    const { copies } = this.#host.ports;
    if (copies === undefined) return ERR_NOT_HERE;
    if (this.#copies.size >= COPIES_MAX) return ERR_TOO_MANY;
    const place = copies.makePlace();
    if (typeof place === 'string') return `${ERR_FAILED}: ${place}`;
    const copy: DebugCopy = new DebugCopy(this.#host, {
      client,
      place,
      greeting: new Greeting(client, request),
      ended: () => this.#copies.delete(copy),
    });
    this.#copies.add(copy);
    return copy.start() ? undefined : `${ERR_FAILED}: ${SNAPSHOT_FLAW}`;
  }

  /** Clients may have taken what they were sent. */
  tick(): void {
    for (const copy of this.#copies) copy.tick();
  }
}

interface DebugCopyInit {
  readonly client: Session;
  readonly place: CopyPlace;
  readonly greeting: Greeting;
  readonly ended: () => void;
}

class DebugCopy implements InputTap {
  readonly #host: DebugCopiesHost;
  readonly #init: DebugCopyInit;
  readonly #file: SnapshotFile;
  #wire: Wire | undefined;
  #isPaused = false;
  #hasEnded = false;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;

  constructor(host: DebugCopiesHost, init: DebugCopyInit) {
    this.#host = host;
    this.#init = init;
    const { dataFile } = init.place;
    this.#file = new SnapshotFile(host, {
      format: new RdbFormat(host, { replication: undefined }),
      temporaryName: `${dataFile}.part`,
      name: dataFile,
      isWaiting: false,
      syncsOften: false,
      ended: (failure) => this.#saved(failure),
    });
  }

  /** False when the data of this moment cannot be kept. */
  start(): boolean {
    const { client } = this.#init;
    if (!this.#file.start()) {
      this.#end();
      return false;
    }
    client.tap = this;
    client.blocked = { kind: 'outside', deadline: undefined };
    return true;
  }

  take(bytes: Buffer): void {
    if (this.#wire !== undefined) {
      this.#wire.write(bytes, bytes.length);
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > WAITING_BYTES_MAX) this.#init.client.close();
  }

  closed(): void {
    this.#end();
  }

  tick(): void {
    if (!this.#isPaused || this.#init.client.outputBytes > OUTPUT_BYTES_MAX) return;
    this.#isPaused = false;
    this.#wire?.resume();
  }

  #saved(failure: string | undefined): void {
    if (this.#hasEnded) return;
    if (failure !== undefined) return this.#fail(failure);
    this.#init.place.start(configOf(this.#host.settings), {
      served: (wire) => this.#served(wire),
      failed: (reason) => this.#host.inTurn(() => this.#fail(reason)),
    });
  }

  #served(wire: Wire): WireEvents {
    this.#wire = wire;
    for (const bytes of [this.#init.greeting.bytes, ...this.#waiting]) {
      wire.write(bytes, bytes.length);
    }
    this.#waiting = [];
    return eventsInTurns(this.#host, {
      data: (buf, size) => this.#data(buf, size),
      closed: (reason) => this.#closed(reason),
    });
  }

  #data(buf: Buffer, size: number): void {
    if (this.#hasEnded) return;
    const { client, greeting } = this.#init;
    const from = greeting.skip(buf, size);
    if (typeof from === 'string') return this.#fail(from);
    if (from < size) client.reply.raw(buf, from, size - from);
    if (client.outputBytes <= OUTPUT_BYTES_MAX || this.#isPaused) return;
    this.#isPaused = true;
    this.#wire!.pause();
  }

  /** The copy has gone. What it said last is the end of the session. */
  #closed(reason: string | undefined): void {
    if (this.#hasEnded) return;
    if (!this.#init.greeting.isOver) return this.#fail(reason ?? 'the process has ended');
    this.#end();
    this.#init.client.closeAfterReply();
  }

  #fail(reason: string): void {
    if (this.#hasEnded) return;
    const { client } = this.#init;
    this.#end();
    client.reply.error(`${ERR_FAILED}: ${reason.replaceAll(/[\r\n]+/g, ' ')}`);
    this.#host.unblockSession(client);
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { client, place, ended } = this.#init;
    client.tap = undefined;
    this.#file.abort();
    this.#wire?.destroy();
    place.remove();
    ended();
  }
}

/** The configuration of a copy, without what its place adds. */
function configOf(settings: Settings): string {
  const lines = rewriteConfig('', settings, { users: [] }).split('\n');
  return lines.filter((line) => KEPT_SETTINGS.test(line)).join('\n');
}
