/**
 * The cluster machine: inputs in, effects out. Only dispatches; the rules are in the files beside it.
 * `redis-server` keeps its bus in one event loop; this is the same loop turned inside out.
 */
import {
  type MonoMs,
  SLOT_COUNT,
  type Slot,
  assertNever,
  monoMs,
  slot,
  earlier,
} from '../base/index.ts';
import type { AdminCommand, AdminResult } from './admin-commands.ts';
import { runAdmin } from './admin.ts';
import { ClusterContext, type ContextInit, isMute } from './context.ts';
import { CRON_PERIOD_MS, detectFailures, detectorWake, followMaster, runCron } from './cron.ts';
import type { Effect } from './effects.ts';
import { electionWake, handleElection } from './election.ts';
import { countFailureReports } from './failure-detector.ts';
import { distrustAfterSleep, healthWake, updateHealth } from './health.ts';
import type { Input } from './inputs.ts';
import { acceptLink, closeLink, linkClosed, linkFailed, linkOpened } from './links.ts';
import { beginDataSearch, stepDataSearch } from './lost-data.ts';
import { checkCaughtUp } from './manual-failover.ts';
import { type ImportFlaw, exportNodes, importNodes, nodeRecord } from './nodes-export.ts';
import type { NodesConf, NodesConfNode } from '../config/index.ts';
import { receiveLight, receivePacket } from './receive.ts';
import { preferredEndpoint, renderInfo, renderNodes } from './render.ts';
import { broadcastPong, propagatePublish } from './sending.ts';
import { exportEvent, stepExports } from './slot-exports.ts';
import { importEvent, isImported, stepImports, takeoverShared } from './slot-imports.ts';
import { assignSlot, hasSlotBit } from './slot-map.ts';
import {
  clearStray,
  dropStrays,
  hiddenSlots,
  listTransfers,
  markStrays,
} from './slot-transfers.ts';
import type { SlotExport, SlotImport } from './transfer-types.ts';
import type { ClusterHealth, ClusterNode, ClusterOptions, Link, LinkId, Now } from './types.ts';

/** A node as others may see it; not to be kept beyond the next step. */
export type NodeView = Readonly<ClusterNode>;

export class ClusterMachine {
  readonly #c: ClusterContext;
  #lastCronAt: MonoMs | undefined;
  #lastStepAt: MonoMs | undefined;
  #cronRun = 0;
  #wake: MonoMs | undefined;
  #isWakeKnown = false;

  constructor(init: ContextInit) {
    this.#c = new ClusterContext(init);
    this.#c.updateWanted = true;
  }

  /** Fills a machine that has not stepped yet from nodes.conf; on a flaw, refuse to start. */
  importNodes(
    now: Now,
    state: NodesConf,
  ): { readonly flaw: ImportFlaw; readonly node: string } | undefined {
    this.#c.now = now;
    return importNodes(this.#c, state);
  }

  exportNodes(): NodesConf {
    return exportNodes(this.#c);
  }

  /** Takes one input. Carry out the effects in order, each before the next. A late or needless tick does no harm. */
  step(now: Now, input: Input): readonly Effect[] {
    this.#begin(now);
    this.#apply(input);
    return this.#finish();
  }

  /** Runs an operator's command; the effects come before the reply. */
  admin(
    now: Now,
    command: AdminCommand,
  ): { readonly result: AdminResult; readonly effects: readonly Effect[] } {
    this.#begin(now);
    const result = runAdmin(this.#c, command);
    return { result, effects: this.#finish() };
  }

  /**
   * When the next tick is due. A shell that finds itself past it ticks before it serves clients, so that a process that
   * was stopped learns of it before it takes a write.
   */
  nextWake(): MonoMs | undefined {
    if (this.#isWakeKnown) return this.#wake;
    this.#wake = this.#computeWake();
    this.#isWakeKnown = true;
    return this.#wake;
  }

  #computeWake(): MonoMs | undefined {
    const c = this.#c;
    const cronAt =
      this.#lastCronAt === undefined ? c.now.mono : monoMs(this.#lastCronAt + CRON_PERIOD_MS);
    return earlier(earlier(cronAt, electionWake(c)), earlier(detectorWake(c), healthWake(c)));
  }

  /** A fresh name for a connection that a peer opened. */
  newLinkId(): LinkId {
    return this.#c.newLinkId();
  }

  get myself(): NodeView {
    return this.#c.myself;
  }

  get state(): ClusterHealth {
    return this.#c.health;
  }

  /** Slots whose keys here are rubbish wherever they are not this node's own; undefined: none. */
  get strays(): Uint8Array | undefined {
    return this.#c.strays;
  }

  /** Masters that serve slots. */
  get size(): number {
    return this.#c.size;
  }

  /** We are a master that hands over: send replicas no pings, or the offset they wait for would move. */
  get isHandingOver(): boolean {
    return this.#c.manualFailover.state === 'serving';
  }

  /** We wait for an offset: every move of it is worth a `replicationChanged` at once. */
  get isCatchingUp(): boolean {
    return this.#c.manualFailover.state === 'catchingUp';
  }

  /** We have no data while others may: nobody is to copy our emptiness. */
  get isWithoutData(): boolean {
    return isMute(this.#c);
  }

  get currentEpoch(): number {
    return this.#c.currentEpoch;
  }

  get nodes(): readonly NodeView[] {
    return this.#c.nodeList;
  }

  node(id: string): NodeView | undefined {
    return this.#c.nodes.get(id as NodeView['id']);
  }

  slotOwner(index: Slot): NodeView | undefined {
    return this.#c.owners[index];
  }

  isMine(index: Slot): boolean {
    return this.#c.owners[index] === this.#c.myself;
  }

  migratingTo(index: Slot): NodeView | undefined {
    return this.#c.migratingTo.get(index);
  }

  importingFrom(index: Slot): NodeView | undefined {
    return this.#c.importingFrom.get(index);
  }

  /** Whether writes to a slot wait for the end of a handover. */
  isHeld(index: Slot): boolean {
    const { heldSlots } = this.#c;
    return heldSlots !== undefined && hasSlotBit(heldSlots, index);
  }

  /** Whether keys of a slot come from an atomic move that has not ended: they expire at their source only. */
  isImported(index: Slot): boolean {
    return this.#c.transfers.length > 0 && isImported(this.#c, index);
  }

  /**
   * Slots whose keys here are in nobody's sight: those of moves that come and have not been taken over, or that went
   * away or failed and are not deleted yet. On a replica, those of its master.
   */
  get hiddenSlots(): ReadonlySet<number> {
    const c = this.#c;
    return (c.hiddenSlots ??= hiddenSlots(c));
  }

  /** Atomic moves under way, then those that ended, the last first. */
  get transfers(): readonly (Readonly<SlotExport> | Readonly<SlotImport>)[] {
    return listTransfers(this.#c);
  }

  /** Address for MOVED, ASK and CLUSTER SLOTS; empty means the endpoint that the client uses already. */
  endpoint(node: NodeView): string {
    return preferredEndpoint(this.#c, node);
  }

  /** `isPlain`: with the port for clients that speak no TLS, here and in `nodesText`. */
  nodeRecord(node: NodeView, isPlain = false): NodesConfNode {
    return nodeRecord(this.#c, node, isPlain);
  }

  nodesText(isPlain = false): string {
    return renderNodes(this.#c, isPlain);
  }

  infoText(): string {
    return renderInfo(this.#c);
  }

  failureReportCount(node: NodeView): number {
    return countFailureReports(this.#c, node);
  }

  /** Links that belong to a known node, as CLUSTER LINKS shows them. */
  links(): readonly Readonly<Link>[] {
    return [...this.#c.links.values()].filter((link) => link.node !== undefined);
  }

  #begin(now: Now): void {
    const c = this.#c;
    c.now = now;
    // Even under a tiny node time-out an ordinary wait between two ticks is no sleep.
    const sleepMs = Math.max(c.options.nodeTimeoutMs, CRON_PERIOD_MS * 2);
    if (this.#lastStepAt !== undefined && c.since(this.#lastStepAt) > sleepMs) {
      distrustAfterSleep(c);
    }
    this.#lastStepAt = now.mono;
    this.#isWakeKnown = false;
  }

  #apply(input: Input): void {
    const c = this.#c;
    switch (input.kind) {
      case 'tick':
        return this.#tick();
      case 'linkOpened':
        return this.#withLink(input.link, (link) => linkOpened(c, link));
      case 'linkFailed':
        return this.#withLink(input.link, (link) => linkFailed(c, link));
      case 'linkClosed':
        return this.#withLink(input.link, (link) => linkClosed(c, link));
      case 'inboundLink':
        return acceptLink(c, input.link, input);
      case 'bytes':
        return this.#withLink(input.link, (link) => this.#read(link, input.bytes));
      case 'packet':
        return this.#withLink(input.link, (link) => receivePacket(c, link, input.packet));
      case 'replicationChanged':
        return checkCaughtUp(c);
      case 'publish':
        return propagatePublish(c, input.channel, input.message, input.isShard);
      case 'configChanged':
        return this.#configure(input.options);
      case 'exportEvent':
        return exportEvent(c, input.name, input.event);
      case 'importEvent':
        return importEvent(c, input.name, input.event);
      case 'straysShared':
        return markStrays(c, input.slots, 'save');
      case 'keepShared':
        clearStray(c, input.slot);
        return;
      case 'dataReplaced':
        c.strays = undefined;
        return c.save('save');
      case 'takeoverShared':
        return takeoverShared(c, input.claim);
      case 'dataLoaded':
        if (!input.hadData) beginDataSearch(c);
        // Before anything can be written in a history of our own.
        followMaster(c);
        dropStrays(c);
        return this.#claimSlotsWithKeys();
      default:
        return assertNever(input);
    }
  }

  /** Peers hear of a new name or address at once rather than with the next ping. */
  #configure(options: ClusterOptions): void {
    const c = this.#c;
    const before = JSON.stringify(announcement(c.options));
    c.options = options;
    c.describeMyself();
    c.updateWanted = true;
    if (JSON.stringify(announcement(options)) === before) return;
    c.save('save');
    broadcastPong(c, () => true);
  }

  #tick(): void {
    const c = this.#c;
    const isDue = this.#lastCronAt === undefined || c.since(this.#lastCronAt) >= CRON_PERIOD_MS;
    if (isDue) {
      this.#lastCronAt = c.now.mono;
      runCron(c, this.#cronRun++);
    }
    stepDataSearch(c);
    detectFailures(c);
    checkCaughtUp(c);
    c.failoverWanted = true;
    if (c.health === 'fail') c.updateWanted = true;
  }

  #withLink(id: LinkId, act: (link: Link) => void): void {
    const link = this.#c.links.get(id);
    if (link !== undefined) act(link);
  }

  #read(link: Link, bytes: Uint8Array): void {
    const c = this.#c;
    link.reader.feed(bytes);
    while (c.links.has(link.id)) {
      const read = link.reader.next();
      if (read.kind === 'more') return;
      if (read.kind === 'malformed') {
        c.log({ name: 'linkMalformed', reason: read.reason });
        return closeLink(c, link);
      }
      if (read.kind === 'light') receiveLight(c, link, read.body);
      if (read.kind === 'packet') {
        receivePacket(c, link, read.packet);
        // Each packet meets the state as it is then; a vote that decides must not wait for the next one.
        if (c.failoverWanted) handleElection(c);
      }
    }
  }

  #finish(): readonly Effect[] {
    const c = this.#c;
    // The election first: it can change who serves.
    if (c.failoverWanted) handleElection(c);
    if (c.transfers.length > 0) {
      stepExports(c);
      stepImports(c);
    }
    if (c.updateWanted) updateHealth(c);
    // Whatever changes who owns a slot is saved.
    if (c.saveWanted !== 'no') c.hiddenSlots = undefined;
    const { effects } = c;
    c.effects = [];
    if (c.saveWanted !== 'no') {
      const save: Effect =
        c.saveWanted === 'fsync'
          ? { kind: 'saveNodesConf', fsync: true, state: exportNodes(c) }
          : { kind: 'saveNodesConf', fsync: false };
      // The whole step is one change: it is on disk before any of it is heard.
      if (c.rules.persistsBeforeSpeaking()) effects.unshift(save);
      else effects.push(save);
      c.saveWanted = 'no';
    }
    return effects;
  }

  /**
   * After loading data: keys in a slot that nobody owns make us its owner; keys in someone else's slot make us import
   * it. Source: Redis 7.0, the check of the cluster's configuration against the data at start.
   */
  #claimSlotsWithKeys(): void {
    const c = this.#c;
    if (c.myself.role === 'replica') return;
    for (let i = 0; i < SLOT_COUNT; i++) {
      const index = slot(i);
      const owner = c.owners[i];
      if (owner === c.myself || c.importingFrom.has(index)) continue;
      // Rubbish that is on its way out.
      if (owner !== undefined && c.strays !== undefined && hasSlotBit(c.strays, i)) continue;
      if (c.keys.countKeysInSlot(index) === 0) continue;
      if (owner === undefined) {
        c.log({ name: 'slotClaimed', slot: i });
        assignSlot(c, c.myself, index);
      } else {
        c.log({ name: 'slotSetImporting', slot: i });
        c.importingFrom.set(index, owner);
      }
      c.save('fsync');
      c.updateWanted = true;
    }
  }
}

/** What peers are told of this node. */
function announcement(options: ClusterOptions): readonly unknown[] {
  const { announceIp, announceHostname, port, plaintextPort, busPort, replicaNoFailover } = options;
  return [announceIp, announceHostname, port, plaintextPort, busPort, replicaNoFailover];
}
