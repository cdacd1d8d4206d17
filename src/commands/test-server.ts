/** A server for tests of commands: a real keyspace and command table, and a record of what commands ask of the node. */
import { addMs, monoMs, seededRng, type UnixMs, unixMs } from '../base/index.ts';
import { ConfigStore, KEYSPACE_EVENT, defaultSettings } from '../config/index.ts';
import { Keyspace } from '../keyspace/index.ts';
import { ReplyBufferPool, ReplyWriter, Request } from '../resp/index.ts';
import type { Context, KeyWait } from './context.ts';
import { wrongArity } from './errors.ts';
import { type Server, createDebugSwitches } from './server.ts';
import { Session } from './session.ts';
import type { CommandSpec } from './spec.ts';
import { type Command, CommandTable } from './table.ts';
import { TEST_USER } from './test-user.ts';

class TestSession extends Session {
  readonly inputBytes = 0;
  readonly inputCapacity = 0;
  readonly outputBytes = 0;
  readonly fd = -1;

  constructor(reply: ReplyWriter) {
    super({ id: 1, reply, address: '', localAddress: '', now: monoMs(0), user: TEST_USER });
  }

  closeAfterReply(): void {}

  close(): void {}
}

export class TestServer {
  unixNow: UnixMs = unixMs(1_700_000_000_000);
  readonly config: ConfigStore = new ConfigStore(defaultSettings());
  readonly keyspace: Keyspace;
  readonly session: Session;
  /** What replicas get, one command an element, arguments joined by blanks. */
  readonly propagated: string[] = [];
  /** Keyspace events as `db:event:key`. */
  readonly events: string[] = [];
  /** What the last call waits for; undefined when it answered. */
  waiting: KeyWait | undefined;
  /** See `Context.mayBlock` and `Context.readyArgument`. */
  mayBlock = true;
  readyArgument = 0;
  readonly #table: CommandTable;
  readonly #reply: ReplyWriter;
  readonly #request: Request = new Request();
  readonly #server: Server;
  #replacement: string | undefined;
  #isForced = false;
  #isPrevented = false;

  constructor(specs: readonly CommandSpec[], options: { readonly isCluster?: boolean } = {}) {
    const rng = seededRng(1);
    this.keyspace = new Keyspace({
      rng,
      clusterMode: options.isCluster ?? false,
      ...(options.isCluster === true ? { databases: 1 } : {}),
      hooks: {
        expired: (dbIndex, buf, at, size) => {
          const key = Buffer.from(buf.subarray(at, at + size)).toString('latin1');
          this.events.push(`${dbIndex}:expired:${key}`);
          this.propagated.push(`DEL ${key}`);
        },
        touched: () => {},
        replaced: () => {},
        rubbish: () => {},
      },
    });
    this.#table = new CommandTable(specs);
    this.#reply = new ReplyWriter(new ReplyBufferPool(), () => {});
    this.session = new TestSession(this.#reply);
    const facts = {
      keyspace: this.keyspace,
      config: this.config,
      settings: this.config.settings,
      rng,
      table: this.#table,
      debug: createDebugSwitches(),
      persistence: { flushed: () => {} },
      cluster: options.isCluster ? {} : undefined,
    };
    // Commands of keys and strings ask for no other service.
    this.#server = Object.defineProperties(facts, {
      unixNow: { get: () => this.unixNow },
      now: { get: () => monoMs(this.unixNow) },
      replication: { get: () => ({ isReplica: this.isReplica }) },
    }) as unknown as Server;
  }

  get isReplica(): boolean {
    return this.keyspace.expiryMode === 'hide';
  }

  set isReplica(isReplica: boolean) {
    this.keyspace.expiryMode = isReplica ? 'hide' : 'delete';
  }

  advance(ms: number): void {
    this.unixNow = addMs(this.unixNow, ms);
  }

  /** Runs one command and returns the reply as it goes out. */
  run(...args: readonly (Buffer | string)[]): string {
    const request = this.#request;
    request.load(args);
    this.keyspace.nowMs = this.unixNow;
    const command = this.#command(request);
    if (command === undefined) return '-ERR unknown command\r\n';
    if (!command.acceptsCount(request.argc)) return `-${wrongArity(command.fullName)}\r\n`;
    this.#replacement = undefined;
    this.#isForced = false;
    this.#isPrevented = false;
    this.waiting = undefined;
    const dirty = this.keyspace.dirty;
    (command as Command<Context>).run!(this.#context(command), request, this.#reply);
    if ((this.keyspace.dirty !== dirty || this.#isForced) && !this.#isPrevented) {
      this.propagated.push(this.#replacement ?? joined(args));
    }
    const bytes = this.#reply.pending.toString('latin1', 0, this.#reply.length);
    this.#reply.clear();
    return bytes;
  }

  #command(request: Request): Command | undefined {
    const command = this.#table.find(request);
    if (command === undefined || !command.isContainer || request.argc < 2) return command;
    return command.subcommands.get(request.text(1).toLowerCase());
  }

  #context(command: Command): Context {
    return {
      server: this.#server,
      session: this.session,
      db: this.keyspace.db(this.session.dbIndex),
      command,
      isPropagated: true,
      mayBlock: this.mayBlock,
      readyArgument: this.readyArgument,
      blockOnKeys: (_request, wait) => {
        this.waiting = wait;
      },
      propagateAs: (args) => {
        this.#replacement = joined(args);
      },
      alsoPropagate: (_dbIndex, args) => {
        this.propagated.push(joined(args));
      },
      suspend: () => {},
      noteErrorCounted: () => {},
      preventPropagation: () => {
        this.#isPrevented = true;
      },
      forcePropagation: () => {
        this.#isForced = true;
      },
      notify: (eventClass, event, buf, at, size, dbIndex = this.session.dbIndex) => {
        if (!Object.values(KEYSPACE_EVENT).includes(eventClass)) throw new Error('no such class');
        this.events.push(`${dbIndex}:${event}:${buf.toString('latin1', at, at + size)}`);
      },
    };
  }
}

function joined(args: readonly (Buffer | string)[]): string {
  return args.map((arg) => (typeof arg === 'string' ? arg : arg.toString('latin1'))).join(' ');
}
