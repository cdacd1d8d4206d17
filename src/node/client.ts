/** A client connection: bytes in, requests out of them, replies back. */
import type { User } from '../acl/index.ts';
import type { MonoMs, Spares } from '../base/index.ts';
import { type InputTap, Session } from '../commands/index.ts';
import {
  EMPTY,
  MALFORMED,
  NEED_MORE,
  type ReplyBufferPool,
  ReplyWriter,
  type Request,
  RequestParser,
  type RequestParserOptions,
} from '../resp/index.ts';
import type { Wire, WireEvents, WireFacts } from './ports.ts';

/** What a client needs of the node. */
export interface ClientHost {
  readonly bufferPool: ReplyBufferPool;
  /** Buffers of long requests. */
  readonly spareInputs: Spares<Buffer>;
  readonly parserOptions: RequestParserOptions;
  /** Who a new client is. */
  readonly defaultUser: User;
  /** client-query-buffer-limit, bytes. */
  readonly queryBytesMax: number;
  /** The one request object, reused. */
  readonly request: Request;
  beginTurn(): void;
  endTurn(): void;
  /** Runs one request; the client may be blocked or closing afterwards. */
  execute(client: Client, request: Request): void;
  /** Whether the client's requests have to wait although it is not blocked itself. */
  readonly isStalled: boolean;
  wantsFlush(client: Client): void;
  onEmptyLine(client: Client): void;
  onProtocolError(client: Client, reason: string): void;
  /** Pending replies above which the output limits are looked at, bytes. */
  readonly replyBytesMax: number;
  onLongReply(client: Client): void;
  /** What the client sent and has not been carried out is long: a request, or commands between MULTI and EXEC. */
  onLongInput(client: Client): void;
  onClosed(client: Client): void;
  onDrained(client: Client): void;
  /** A replica's output is about to leave. */
  onReplicaFlush(client: Client): void;
  countInput(bytes: number): void;
  countOutput(bytes: number, isToReplica: boolean): void;
}

const NO_BYTES: Buffer = Buffer.alloc(0);
const INPUT_BYTES_FIRST = 4096;
/** A kept input buffer larger than this is given up when it is empty. */
const INPUT_BYTES_KEPT = 64 * 1024;
/** So much of an argument that is still to come is read to its place, past the buffer of the wire. */
const AHEAD_BYTES_MIN = 16 * 1024;

/** A client with a socket; without one (`wire` undefined) it is the link to our master. */
export class Client extends Session implements WireEvents {
  readonly #host: ClientHost;
  readonly wire: Wire | undefined;
  readonly #facts: WireFacts | undefined;
  readonly #parser: RequestParser;
  /** Received and not run yet: `#input[#inputAt, #inputEnd)`. */
  #input: Buffer = NO_BYTES;
  #inputAt = 0;
  #inputEnd = 0;
  /** The part of `#input`, behind what is there, that the wire was told to read into. */
  #ahead: Buffer | undefined;
  isClosing = false;
  isClosed = false;
  /** In the node's list of clients with replies to send. */
  isInFlushList = false;
  /** What `ClientMemory` has counted it with. */
  countedBytes = 0;
  evictableBytes = 0;
  /** Since when the output is above the soft limit. */
  outputSoftSince: MonoMs | undefined;

  constructor(init: {
    readonly host: ClientHost;
    readonly id: number;
    readonly wire: Wire | undefined;
    /** For a client without a wire of its own: the connection that its commands come from. */
    readonly facts: WireFacts | undefined;
    readonly now: MonoMs;
  }) {
    const { host, wire, facts } = init;
    super({
      id: init.id,
      reply: new ReplyWriter(host.bufferPool, () => host.wantsFlush(this)),
      address: facts === undefined ? '' : addressOf(facts, facts.remoteIp, facts.remotePort),
      localAddress: facts === undefined ? '' : addressOf(facts, facts.localIp, facts.localPort),
      now: init.now,
      user: host.defaultUser,
    });
    this.#host = host;
    this.wire = wire;
    this.isTls = facts?.isTls === true;
    this.#facts = facts;
    this.#parser = new RequestParser(host.parserOptions);
  }

  get inputBytes(): number {
    return this.#inputEnd - this.#inputAt;
  }

  get inputCapacity(): number {
    return this.#input.length;
  }

  override get understoodBytes(): number {
    return this.#parser.understoodBytes;
  }

  override get argumentBytes(): number {
    return this.#parser.argumentBytes;
  }

  get outputBytes(): number {
    return this.reply.length + (this.wire?.pendingBytes ?? 0);
  }

  get fd(): number {
    return this.#facts?.fd ?? -1;
  }

  data(buf: Buffer, size: number): void {
    if (this.isClosing) return;
    this.#host.beginTurn();
    this.#host.countInput(size);
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (this.tap !== undefined) {
      this.tap.take(Buffer.from(buf.subarray(0, size)));
    } else if (this.#inputEnd > this.#inputAt) {
      if (buf === ahead) this.#inputEnd += size;
      else this.#keep(buf, 0, size);
      this.#runKept();
    } else {
      const rest = this.#run(buf, 0, size);
      if (rest < size && !this.isClosing) this.#keep(buf, rest, size);
    }
    this.#lookAhead();
    if (this.tap !== undefined && this.inputBytes > 0) this.#handOver(this.tap);
    if (!this.isClosing) this.#checkInput();
    this.#host.endTurn();
  }

  /** What came together with the request that has set up the tap belongs to that. */
  #handOver(tap: InputTap): void {
    const bytes = Buffer.from(this.#input.subarray(this.#inputAt, this.#inputEnd));
    this.#inputAt = 0;
    this.#inputEnd = 0;
    tap.take(bytes);
  }

  #checkInput(): void {
    const host = this.#host;
    if (this.inputBytes > host.queryBytesMax) {
      host.onProtocolError(this, 'query buffer limit reached');
      this.close();
    } else if (this.inputBytes + this.queueBytes > INPUT_BYTES_KEPT) host.onLongInput(this);
  }

  drained(): void {
    this.#host.onDrained(this);
  }

  closed(): void {
    this.#leave();
  }

  /** Goes on with requests that waited while the client was blocked. */
  resume(): void {
    if (this.isClosing || this.inputBytes === 0) return;
    this.#runKept();
  }

  closeAfterReply(): void {
    this.isClosing = true;
    this.askFlush();
  }

  /** There is something to send, or will be when that begins. */
  askFlush(): void {
    this.#host.wantsFlush(this);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosing = true;
    this.wire?.destroy();
    this.#leave();
  }

  /** Hands pending replies to the wire. */
  flush(): void {
    const { reply, wire } = this;
    if (this.isClosed || wire === undefined) return reply.clear();
    if (this.role === 'replica') this.#host.onReplicaFlush(this);
    if (reply.length > 0) {
      this.#host.countOutput(reply.length, this.role === 'replica');
      if (wire.write(reply.pending, reply.length)) reply.clear();
      else reply.abandon();
    }
    if (!this.isClosing) return;
    wire.end();
    // What is out is out: the client is gone for others before it can tell them of its last reply.
    if (wire.pendingBytes === 0) this.#leave();
  }

  /** Runs requests from `buf[at, limit)`; returns where the first unfinished one begins. */
  #run(buf: Buffer, from: number, limit: number): number {
    const host = this.#host;
    const parser = this.#parser;
    const request = host.request;
    parser.isAuthenticated = this.isAuthenticated;
    let at = from;
    while (at < limit && this.blocked === undefined && !this.isClosing && !host.isStalled) {
      const result = parser.parse(request, buf, at, limit);
      if (result === NEED_MORE) return at;
      if (result === MALFORMED) {
        host.onProtocolError(this, parser.error);
        return limit;
      }
      const end = parser.end;
      if (result === EMPTY) {
        host.onEmptyLine(this);
      } else {
        host.execute(this, request);
        if (this.reply.length > host.replyBytesMax) host.onLongReply(this);
        parser.isAuthenticated = this.isAuthenticated;
        // A paused request is run again later.
        if (this.#isPaused()) return at;
      }
      at = end;
    }
    return at;
  }

  /** Its own function, because the loop above has just seen `blocked` unset. */
  #isPaused(): boolean {
    return this.blocked?.kind === 'pause';
  }

  #runKept(): void {
    const at = this.#run(this.#input, this.#inputAt, this.#inputEnd);
    this.#inputAt = at;
    if (at < this.#inputEnd) return;
    this.#inputAt = 0;
    this.#inputEnd = 0;
    if (this.#input.length > INPUT_BYTES_KEPT) this.#giveInput();
  }

  /** A large buffer serves whoever has a large request next: a new one for each would cost more than the request. */
  #giveInput(): void {
    if (this.#input.length > INPUT_BYTES_KEPT) this.#host.spareInputs.keep(this.#input);
    this.#input = NO_BYTES;
  }

  /** Adds `buf[from, to)` to the input that waits. */
  #keep(buf: Buffer, from: number, to: number): void {
    const size = to - from;
    const waiting = this.inputBytes;
    const need = waiting + size;
    if (this.#inputAt + need > this.#input.length) {
      const wanted = Math.max(need, Math.min(this.#parser.neededBytes, need * 64));
      if (wanted > this.#input.length || need * 2 > this.#input.length) {
        const grown = Math.max(INPUT_BYTES_FIRST, wanted, need + (need >> 1));
        // Clients are judged by what they hold: a buffer should not be much larger than asked for.
        const isLong = grown > INPUT_BYTES_KEPT;
        const spare = isLong ? this.#host.spareInputs.take(grown, grown + (grown >> 3)) : undefined;
        const larger = spare ?? Buffer.allocUnsafeSlow(grown);
        this.#input.copy(larger, 0, this.#inputAt, this.#inputEnd);
        this.#giveInput();
        this.#input = larger;
      } else {
        this.#input.copy(this.#input, 0, this.#inputAt, this.#inputEnd);
      }
      this.#inputAt = 0;
      this.#inputEnd = waiting;
    }
    buf.copy(this.#input, this.#inputEnd, from, to);
    this.#inputEnd += size;
  }

  /** Of a long argument the rest is read to its place: until it has come nothing in `#input` moves. */
  #lookAhead(): void {
    const missing = this.#parser.neededBytes - this.inputBytes;
    if (missing < AHEAD_BYTES_MIN || this.isClosing || this.wire?.readInto === undefined) return;
    const end = this.#inputEnd;
    const room = Math.min(missing, this.#input.length - end);
    if (room < AHEAD_BYTES_MIN) return;
    this.#ahead = this.#input.subarray(end, end + room);
    this.wire.readInto(this.#ahead);
  }

  #leave(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.isClosing = true;
    // Not for others yet: the request that ends the client may still be at work on it.
    this.#input = NO_BYTES;
    this.#inputAt = 0;
    this.#inputEnd = 0;
    this.reply.clear();
    this.tap?.closed();
    this.tap = undefined;
    this.#host.onClosed(this);
  }
}

function addressOf(wire: WireFacts, ip: string, port: number): string {
  if (wire.isUnixSocket) return `${ip}:0`;
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
