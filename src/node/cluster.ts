/**
 * The cluster inside the node: gives the machine its inputs, carries its effects out strictly in
 * order, and answers what commands and the dispatcher ask.
 */
import { type MonoMs, type Slot, addMs, earlier, slot } from '../base/index.ts';
import {
  type AdminCommand,
  type AdminResult,
  ClusterMachine,
  type ClusterRules,
  type Effect,
  type Input,
  type LinkId,
  type Now,
  logLevel,
  logSentence,
  redisRules,
} from '../cluster/index.ts';
import type {
  BlockedOnKeys,
  ClusterService,
  Command,
  CommandTable,
  Session,
} from '../commands/index.ts';
import { type DirectiveName, type NodesConf, formatNodesConf } from '../config/index.ts';
import { asideWords } from '../replication/index.ts';
import type { Request } from '../resp/index.ts';
import type { ClusterHost, ClusterReplication } from './cluster-host.ts';
import { BusLinks } from './cluster-links.ts';
import { CLUSTER_DIRECTIVES, clusterOptions } from './cluster-options.ts';
import { ClusterRouter } from './cluster-routing.ts';
import { loadNodes } from './cluster-start.ts';
import { SlotCleaner } from './cluster-slots.ts';
import type { Inside } from './inside.ts';
import type { SaveManner, Wire, WireEvents } from './ports.ts';
import { SlotTransfers } from './slot-transfers.ts';

/**
 * How long the claims of others may be unsaved: out of the way of a failover that brought them.
 * Divergence: the real server writes them, and waits for the disk, before it does anything else.
 */
const SAVE_SOON_MS = 100;

export interface ClusterPartInit {
  readonly host: ClusterHost;
  readonly replication: ClusterReplication;
  /** Finds the keys of the commands of this node's stream. */
  readonly table: CommandTable;
  /** The decisions on which safety rests; default Redis's own. A simulator overrides them. */
  readonly rules?: ClusterRules;
}

export class ClusterPart implements ClusterService {
  readonly machine: ClusterMachine;
  readonly isEnabled = true;
  readonly #inside: Inside;
  readonly #host: ClusterHost;
  readonly #replication: ClusterReplication;
  readonly #links: BusLinks;
  readonly #router: ClusterRouter;
  readonly #cleaner: SlotCleaner;
  readonly transfers: SlotTransfers;
  #isStarted = false;
  /** Effects not carried out yet; a step inside an effect adds its own behind them. */
  readonly #effects: Effect[] = [];
  #isWorking = false;
  /** When what was only noted has to be saved. */
  #saveAt: MonoMs | undefined;
  /** What was saved is not in nodes.conf itself yet, or was not when we last knew. */
  #isFileBehind = false;
  #isHalted = false;

  constructor(inside: Inside, init: ClusterPartInit) {
    const { replication } = init;
    this.#inside = inside;
    this.#host = init.host;
    this.#replication = replication;
    this.#links = new BusLinks(inside.ports.network, (input) => this.#step(input));
    this.machine = new ClusterMachine({
      options: clusterOptions(inside.settings),
      rng: inside.ports.rng,
      rules: init.rules ?? redisRules,
      replication: {
        replOffset: () => replication.view.replOffset(),
        masterSilenceMs: () => replication.view.masterSilenceMs(),
        masterAddress: () => replication.view.masterAddress(),
      },
      keys: {
        countKeysInSlot: (slot) => this.countKeysInSlot(slot),
        dbSize: () => inside.keyspace.db(0).size,
        isInScript: () => inside.isInScript,
      },
      links: { sendBufferBytes: (link) => this.#links.pendingBytes(link) },
    });
    this.#router = new ClusterRouter(inside, this.machine);
    this.#cleaner = new SlotCleaner(inside, init.host, (slot) => this.machine.isMine(slot));
    this.transfers = new SlotTransfers(inside, {
      cleanedSlots: () => this.#cleaner.slots,
      host: init.host,
      replication,
      table: init.table,
      myId: () => this.machine.myself.id,
      strays: () => this.machine.strays,
      replicaCount: () =>
        this.machine.myself.replicas.filter(({ health }) => health !== 'fail').length,
      step: (input) => this.#step(input),
      run: (command) => this.run(command),
    });
  }

  /**
   * Reads nodes.conf, or writes the first one; call it once, before the data is loaded, which depends on the role.
   * @returns why the node must not start, undefined when it may
   */
  readNodes(): string | undefined {
    const inside = this.#inside;
    const loaded = loadNodes(inside, this.machine, this.#now());
    if (loaded.kind === 'refused') return loaded.reason;
    const { id } = this.machine.myself;
    if (loaded.kind === 'fresh') {
      inside.log('notice', `No cluster configuration found, I'm ${id}`);
      this.#save(this.machine.exportNodes(), 'whole');
    } else {
      inside.log('notice', `Node configuration loaded, I'm ${id}`);
    }
    return undefined;
  }

  /**
   * Begins, when the data is loaded and before anybody connects; until then the part does nothing.
   * @param hadData whether the disk had any
   */
  start(hadData: boolean): void {
    if (this.#isHalted) return;
    this.#isStarted = true;
    this.#replication.onProgress = () => this.replicationChanged();
    this.#replication.slotMarks = () => this.transfers.marks;
    this.#replication.onReplaced = (slotMarks) => {
      this.#step({ kind: 'dataReplaced' });
      this.transfers.takeMarks(slotMarks);
    };
    this.#step({ kind: 'dataLoaded', hadData });
    this.#step({ kind: 'tick' });
  }

  /** Closes every bus connection; nothing happens any more. */
  stop(): void {
    if (!this.#isHalted && (this.#isFileBehind || this.#saveAt !== undefined)) {
      this.#save(this.machine.exportNodes(), 'whole');
    }
    this.#isHalted = true;
    this.#replication.onProgress = undefined;
    this.#replication.onReplaced = undefined;
    this.#replication.slotMarks = undefined;
    this.#links.closeAll();
  }

  /** A peer connected to the bus port. */
  acceptBus(wire: Wire): WireEvents {
    return this.#links.accept(this.machine.newLinkId(), wire);
  }

  /** To be called at the start of every turn, before clients are served. */
  tickIfDue(now: MonoMs): void {
    const at = this.machine.nextWake();
    if (at !== undefined && now >= at && !this.#isHalted) this.#step({ kind: 'tick' });
    this.transfers.tick(now);
    if (this.#saveAt !== undefined && now >= this.#saveAt && !this.#isHalted) {
      this.#save(this.machine.exportNodes(), 'soon');
    }
  }

  nextWake(): MonoMs | undefined {
    if (this.#isHalted) return undefined;
    return earlier(this.machine.nextWake(), this.#saveAt);
  }

  /** After CONFIG SET. */
  configure(changed: readonly DirectiveName[]): void {
    if (!changed.some((name) => CLUSTER_DIRECTIVES.has(name))) return;
    this.#step({ kind: 'configChanged', options: clusterOptions(this.#inside.settings) });
  }

  /** The applied offset moved, or the link to the master went up or down. Cheap but in a manual failover. */
  replicationChanged(): void {
    if (this.machine.isCatchingUp) this.#step({ kind: 'replicationChanged' });
  }

  /** Whether nothing may expire or be evicted, and replicas get no PING: their offset must come to rest. */
  get isHandingOver(): boolean {
    return this.machine.isHandingOver;
  }

  /** The error for a request whose keys are not all served here, undefined to serve it. */
  redirect(
    session: Session,
    command: Command,
    request: Request,
    flags: number,
  ): string | undefined {
    return this.#router.redirect(session, command, request, flags);
  }

  get slotOfLastRequest(): number | undefined {
    return this.#router.slotOfLastRequest;
  }

  slotOfScript(session: Session, command: Command, request: Request): number | undefined | string {
    return this.#router.slotOfScript(session, command, request);
  }

  redirectBlocked(session: Session, blocked: BlockedOnKeys): string | undefined {
    return this.#router.redirectBlocked(session, blocked);
  }

  /** Whether the request last looked at writes to a slot that is being handed over: it has to wait. */
  get isWriteHeld(): boolean {
    return this.#router.isWriteHeld;
  }

  syncSlots(session: Session, request: Request): void {
    if (this.#isStarted) this.transfers.syncSlots(session, request);
  }

  hearMaster(argument: string): void {
    const words = asideWords(argument);
    if (words !== undefined && this.#isStarted) this.transfers.hearMaster(words);
  }

  run(command: AdminCommand): AdminResult {
    // What is still to be deleted must not be taken for what comes now.
    if (command.kind === 'setSlot') this.#cleaner.finish(slot(command.slot));
    const { result, effects } = this.machine.admin(this.#now(), command);
    this.#work(effects);
    return result;
  }

  countKeysInSlot(slot: Slot): number {
    return this.#inside.keyspace.db(0).countInSlot(slot);
  }

  publish(channel: Buffer, message: Buffer, isShard: boolean): void {
    this.#step({ kind: 'publish', channel, message, isShard });
  }

  sendBufferBytes(link: LinkId): number {
    return this.#links.pendingBytes(link);
  }

  replOffset(): number {
    return this.#replication.view.replOffset();
  }

  saveConfig(): string | undefined {
    return this.#write(this.machine.exportNodes(), 'whole');
  }

  #now(): Now {
    const { clock } = this.#inside.ports;
    return { mono: clock.monoMs(), unix: clock.unixMs() };
  }

  #step(input: Input): void {
    if (this.#isHalted) return;
    this.#work(this.machine.step(this.#now(), input));
  }

  /** Each effect ends before the next begins, also when carrying one out causes another step. */
  #work(effects: readonly Effect[]): void {
    this.#effects.push(...effects);
    if (!this.#isWorking) {
      this.#isWorking = true;
      for (let i = 0; i < this.#effects.length && !this.#isHalted; i++) {
        this.#carryOut(this.#effects[i]!);
      }
      this.#effects.length = 0;
      this.#isWorking = false;
    }
    this.#replication.source.arePingsHeld = this.machine.isHandingOver;
    this.#replication.source.areSyncsRefused = this.machine.isWithoutData;
    this.#inside.rearm();
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'saveNodesConf':
        return effect.fsync ? this.#save(effect.state, 'promise') : this.#saveSoon();
      case 'openLink':
        return this.#links.open(effect.link, effect.host, effect.port);
      case 'closeLink':
        return this.#links.close(effect.link);
      case 'send':
        return this.#links.send(effect.link, effect.bytes);
      case 'setMaster':
        return this.#replication.follow(effect.host, effect.port);
      case 'promote':
        return this.#replication.promote();
      case 'pauseWrites':
        return this.#host.pauseWrites(effect.until);
      case 'unpauseWrites':
        return this.#host.unpauseWrites();
      case 'clusterStateChanged':
        return;
      case 'deleteKeysInSlot':
        return this.#cleaner.add(effect.slot);
      case 'publish':
        return this.#deliver(effect);
      case 'resetKeyspace':
        return this.#empty();
      case 'log':
        return this.#inside.log(logLevel(effect.event), logSentence(effect.event));
      default:
        return this.transfers.carryOut(effect);
    }
  }

  /** What cannot be written down must not be said: the node ends, as in Redis. */
  #save(state: NodesConf, manner: SaveManner): void {
    const inside = this.#inside;
    const failure = this.#write(state, manner);
    if (failure !== undefined) {
      const name = inside.settings['cluster-config-file'];
      inside.log('warning', `Could not write cluster config file "${name}": ${failure}`);
      inside.log('warning', "Fatal: can't update cluster config file.");
      this.#isHalted = true;
      this.#host.halt();
      return;
    }
    this.#dropShardChannels();
  }

  /** Neither the file nor its text is made while others may wait for what follows. */
  #saveSoon(): void {
    this.#saveAt ??= addMs(this.#inside.now, SAVE_SOON_MS);
    this.#dropShardChannels();
  }

  #write(state: NodesConf, manner: SaveManner): string | undefined {
    this.#saveAt = undefined;
    this.#isFileBehind = manner !== 'whole';
    const { ports, settings } = this.#inside;
    return ports.files.saveState(settings['cluster-config-file'], formatNodesConf(state), manner);
  }

  #dropShardChannels(): void {
    const { machine } = this;
    this.#host.dropShardChannels((slot) => {
      const owner = machine.slotOwner(slot as Slot);
      return owner !== undefined && (owner === machine.myself || owner === machine.myself.master);
    });
  }

  #deliver(effect: Extract<Effect, { kind: 'publish' }>): void {
    const channel = Buffer.from(effect.channel);
    this.#host.publishLocal(channel, Buffer.from(effect.message), effect.isShard);
  }

  /** Not a change that replicas hear of: whoever followed this node asks anew. */
  #empty(): void {
    const { keyspace } = this.#inside;
    const { dirty } = keyspace;
    keyspace.flushAll();
    keyspace.dirty = dirty;
  }
}
