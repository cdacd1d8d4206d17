/**
 * Whether this node serves a request, or who does. Looked at for every command of a client, so the
 * plain case, keys of one slot that is ours and does not move, makes nothing.
 * Source: behaviour of redis-server 7.0.15; Redis Cluster specification, "Redirection and resharding".
 */
import { type Slot, keySlot, sameBytes, splitArguments } from '../base/index.ts';
import { type ClusterMachine, type NodeView, clientPort } from '../cluster/index.ts';
import {
  type BlockedOnKeys,
  type Command,
  FLAG_ASKING,
  FLAG_MAY_REPLICATE,
  FLAG_WRITE,
  type Session,
  isToldPlainPorts,
} from '../commands/index.ts';
import { NONE } from '../keyspace/index.ts';
import { PARSED, Request, RequestParser } from '../resp/index.ts';
import type { Inside } from './inside.ts';

const ERR_CROSS_SLOT = "CROSSSLOT Keys in request don't hash to the same slot";
const ERR_TRY_AGAIN = 'TRYAGAIN Multiple keys request during rehashing of slot';
const ERR_UNSERVED = 'CLUSTERDOWN Hash slot not served';
const ERR_DOWN = 'CLUSTERDOWN The cluster is down';
const ERR_DOWN_READS = 'CLUSTERDOWN The cluster is down and only accepts read commands';

const ERR_SCRIPT_DOWN_READS =
  'ERR Script attempted to execute a write command while the cluster is down and readonly';
const ERR_SCRIPT_DOWN = 'ERR Script attempted to execute a command while the cluster is down';
const ERR_SCRIPT_CROSS_SLOT =
  'ERR Script attempted to access keys that do not hash to the same slot';
const ERR_SCRIPT_ELSEWHERE = 'ERR Script attempted to access a non local key in a cluster node';

const SHARD_COMMANDS: ReadonlySet<string> = new Set(['ssubscribe', 'sunsubscribe', 'spublish']);

/** What may turn out to write to a slot that is being handed over. */
const MAY_WRITE: number = FLAG_WRITE | FLAG_MAY_REPLICATE;

export class ClusterRouter {
  readonly #inside: Inside;
  readonly #machine: ClusterMachine;
  readonly #queued: Request = new Request();
  readonly #parser: RequestParser = new RequestParser({
    bulkBytesMax: Number.MAX_SAFE_INTEGER,
    splitInline: splitArguments,
  });
  /** What the keys looked at so far say; reset for each request. */
  #slot = -1;
  #isMoving = false;
  #keyCount = 0;
  #missingCount = 0;
  #hasSeveralKeys = false;
  #isShardCommand = false;
  #isWrite = false;
  #mayWrite = false;
  /** Whether the request last looked at writes to a slot that is being handed over. */
  isWriteHeld = false;
  #firstBuf: Buffer = Buffer.alloc(0);
  #firstAt = 0;
  #firstSize = 0;

  constructor(inside: Inside, machine: ClusterMachine) {
    this.#inside = inside;
    this.#machine = machine;
  }

  /** The error that answers the request, undefined to serve it here; `flags` are those of the call. */
  redirect(
    session: Session,
    command: Command,
    request: Request,
    flags: number,
  ): string | undefined {
    this.isWriteHeld = false;
    this.#slot = -1;
    if (!command.hasKeys) {
      if (command.fullName !== 'exec' || session.queue === undefined) return undefined;
      return this.#redirectQueue(session, command);
    }
    this.#begin();
    return this.#look(command, request, flags) ?? this.#decideAny(session, command);
  }

  /** Why a client that waits for keys has to wait elsewhere; undefined while this node may serve it. */
  redirectBlocked(session: Session, { command, keys }: BlockedOnKeys): string | undefined {
    const machine = this.#machine;
    if (machine.state !== 'ok') return ERR_DOWN;
    this.#isWrite = (command.flags & FLAG_WRITE) !== 0;
    this.#isShardCommand = false;
    for (const { key } of keys) {
      const slot = keySlot(key, 0, key.length);
      const owner = machine.slotOwner(slot);
      if (owner === machine.myself || machine.importingFrom(slot) !== undefined) continue;
      if (owner === undefined) return ERR_UNSERVED;
      if (!this.#isServedByReplica(session, owner))
        return this.#elsewhere(session, 'MOVED', slot, owner);
    }
    return undefined;
  }

  /** EXEC is served where all its commands are. */
  #redirectQueue(session: Session, exec: Command): string | undefined {
    this.#begin();
    for (const { command, flags, bytes } of session.queue ?? []) {
      if (!command.hasKeys) continue;
      if (this.#parser.parse(this.#queued, bytes, 0, bytes.length) !== PARSED) continue;
      const flaw = this.#look(command, this.#queued, flags);
      if (flaw !== undefined) return flaw;
    }
    return this.#decideAny(session, exec);
  }

  get slotOfLastRequest(): number | undefined {
    return this.#slot < 0 ? undefined : this.#slot;
  }

  /** Source: the texts of redis-server 7.0.15. */
  slotOfScript(session: Session, command: Command, request: Request): number | undefined | string {
    if (!command.hasKeys) return undefined;
    this.#begin();
    const flaw = this.#look(command, request, command.flags) ?? this.#decideAny(session, command);
    if (flaw === undefined) return this.slotOfLastRequest;
    if (flaw === ERR_DOWN_READS) return ERR_SCRIPT_DOWN_READS;
    if (flaw === ERR_DOWN) return ERR_SCRIPT_DOWN;
    return flaw === ERR_CROSS_SLOT ? ERR_SCRIPT_CROSS_SLOT : ERR_SCRIPT_ELSEWHERE;
  }

  #decideAny(session: Session, command: Command): string | undefined {
    return this.#slot < 0 ? undefined : this.#decide(session, command);
  }

  #begin(): void {
    this.#slot = -1;
    this.#isMoving = false;
    this.#keyCount = 0;
    this.#missingCount = 0;
    this.#hasSeveralKeys = false;
    this.#isShardCommand = false;
    this.#isWrite = false;
    this.#mayWrite = false;
  }

  /** Takes the keys of one command into account. */
  #look(command: Command, request: Request, flags: number): string | undefined {
    if ((flags & FLAG_WRITE) !== 0) this.#isWrite = true;
    if ((flags & MAY_WRITE) !== 0) this.#mayWrite = true;
    if (SHARD_COMMANDS.has(command.fullName)) this.#isShardCommand = true;
    if (command.hasMovableKeys) {
      for (const index of command.keyIndexes(request) ?? []) {
        const flaw = this.#key(request, index);
        if (flaw !== undefined) return flaw;
      }
      return undefined;
    }
    const last = command.lastKey < 0 ? request.argc + command.lastKey : command.lastKey;
    for (let i = command.firstKey; i <= last && i < request.argc; i += command.keyStep) {
      const flaw = this.#key(request, i);
      if (flaw !== undefined) return flaw;
    }
    return undefined;
  }

  #key(request: Request, index: number): string | undefined {
    const machine = this.#machine;
    const { buf } = request;
    const at = request.at[index]!;
    const size = request.size[index]!;
    const slot = keySlot(buf, at, size);
    if (this.#slot < 0) {
      if (machine.slotOwner(slot) === undefined) return ERR_UNSERVED;
      this.#slot = slot;
      this.#isMoving =
        machine.importingFrom(slot) !== undefined || machine.migratingTo(slot) !== undefined;
      this.#firstBuf = buf;
      this.#firstAt = at;
      this.#firstSize = size;
    } else if (slot !== this.#slot) {
      return ERR_CROSS_SLOT;
    } else if (
      this.#isMoving &&
      (size !== this.#firstSize || !sameBytes(buf, at, this.#firstBuf, this.#firstAt, size))
    ) {
      this.#hasSeveralKeys = true;
    }
    this.#keyCount++;
    if (this.#isMoving && !this.#isShardCommand && this.#isMissing(buf, at, size)) {
      this.#missingCount++;
    }
    return undefined;
  }

  /** Nothing expires or counts as used by this look. */
  #isMissing(buf: Buffer, at: number, size: number): boolean {
    const db = this.#inside.keyspace.db(0);
    const ref = db.find(buf, at, size);
    return ref === NONE || db.isExpired(ref);
  }

  #decide(session: Session, command: Command): string | undefined {
    const machine = this.#machine;
    const slot = this.#slot as Slot;
    const owner = machine.slotOwner(slot)!;
    if (machine.state !== 'ok') {
      const text = this.#downText();
      if (text !== undefined) return text;
    }
    const isMine = owner === machine.myself;
    if (isMine) this.isWriteHeld = this.#mayWrite && machine.isHeld(slot);
    if (isMine && !this.#isMoving) return undefined;
    if (this.#isMoving) {
      if (command.fullName === 'migrate') return undefined;
      const target = machine.migratingTo(slot);
      if (isMine && target !== undefined && this.#missingCount > 0) {
        if (this.#missingCount < this.#keyCount) return ERR_TRY_AGAIN;
        // Nobody is sent to where it is: SETSLOT MIGRATING takes the node's own id.
        if (target === machine.myself) return undefined;
        return this.#elsewhere(session, 'ASK', slot, target);
      }
      const isAsked = session.isAsking || (command.flags & FLAG_ASKING) !== 0;
      if (!isMine && isAsked && machine.importingFrom(slot) !== undefined) {
        return this.#hasSeveralKeys && this.#missingCount > 0 ? ERR_TRY_AGAIN : undefined;
      }
    }
    if (isMine || this.#isServedByReplica(session, owner)) return undefined;
    return this.#elsewhere(session, 'MOVED', slot, owner);
  }

  /** A replica serves reads of its master's slots to who asked for it, and shard channels to all. */
  #isServedByReplica(session: Session, owner: NodeView): boolean {
    const { myself } = this.#machine;
    if (myself.role !== 'replica' || myself.master !== owner) return false;
    return this.#isShardCommand || (session.isReadonly && !this.#isWrite);
  }

  #downText(): string | undefined {
    const { settings } = this.#inside;
    if (this.#isShardCommand) {
      return settings['cluster-allow-pubsubshard-when-down'] ? undefined : ERR_DOWN;
    }
    if (!settings['cluster-allow-reads-when-down']) return ERR_DOWN;
    return this.#isWrite ? ERR_DOWN_READS : undefined;
  }

  #elsewhere(session: Session, code: 'MOVED' | 'ASK', slot: Slot, node: NodeView): string {
    const port = clientPort(node, isToldPlainPorts(session, this.#inside.settings));
    return `${code} ${slot} ${this.#machine.endpoint(node)}:${port}`;
  }
}
