/** The fault of one round: struck, and undone afterwards. */
import { setTimeout as pause } from 'node:timers/promises';
import { type RespClient, replyFacts } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { callNode, connectNode } from '../cluster/index.ts';
import { ToolError } from '../errors.ts';
import { commandFor, runCommand } from '../run-command.ts';
import type { DrillKind, Member, Shard, Target } from './target.ts';

export interface FaultOptions {
  readonly kind: DrillKind;
  /** Ends a master. */
  readonly killCommand: string | undefined;
  /** Stops a master without ending it; undefined: DEBUG SLEEP. */
  readonly pauseCommand: string | undefined;
  /** Brings back what was killed or paused. */
  readonly restoreCommand: string | undefined;
  /** How long a pause lasts, milliseconds. */
  readonly pauseMs: number;
}

export interface Fault {
  /** Returns when it has begun. */
  strike(): Promise<void>;
  /** Undoes what was struck; nothing when nothing was, or nothing can be. */
  restore(): Promise<void>;
}

const COMMAND_BOUND_MS = 60_000;
/** A reply to DEBUG SLEEP comes at its end. */
const SLEEP_MARGIN_MS = 5000;

/** Makes the fault ready, so that it strikes at once. Throws ToolError. */
export async function makeFault(
  target: Target,
  shard: Shard,
  options: FaultOptions,
): Promise<Fault> {
  const { kind, killCommand, pauseCommand, restoreCommand, pauseMs } = options;
  if (target.kinds.includes(kind)) {
    return { strike: await target.aim(kind, shard), restore: () => Promise.resolve() };
  }
  if (kind === 'pause' && pauseCommand === undefined) return sleep(shard.master, pauseMs);
  const command = kind === 'pause' ? pauseCommand : killCommand;
  if (command === undefined) throw new ToolError('USAGE', `Cannot drill ${kind}: no command given`);
  const facts = { ...shard.master.address, ...(await factsOf(shard.master)) };
  let struckMs: number | undefined;
  return {
    strike: async () => {
      struckMs = performance.now();
      await runCommand(commandFor(command, facts), COMMAND_BOUND_MS);
    },
    restore: async () => {
      if (struckMs === undefined || restoreCommand === undefined) return;
      const leftMs = kind === 'pause' ? struckMs + pauseMs - performance.now() : 0;
      struckMs = undefined;
      if (leftMs > 0) await pause(leftMs);
      await runCommand(commandFor(restoreCommand, facts), COMMAND_BOUND_MS);
    },
  };
}

async function factsOf({ address, id }: Member): Promise<{ id: string; pid: string | undefined }> {
  const client = await connectNode(address);
  try {
    const facts = replyFacts(await callNode(client, 'INFO', 'server'));
    return { id, pid: facts.get('process_id') };
  } finally {
    client.close();
  }
}

/** The server does nothing at all for a while, as when its machine hangs. */
async function sleep(master: Member, pauseMs: number): Promise<Fault> {
  const client: RespClient = await connectNode(master.address, pauseMs + SLEEP_MARGIN_MS);
  try {
    await client.call('DEBUG', 'SLEEP', 0);
  } catch (error) {
    client.close();
    if (!(error instanceof ReplyError)) throw error;
    throw new ToolError(
      'NODES_REFUSED',
      `Cannot pause ${master.name}: it refuses DEBUG SLEEP (enable-debug-command); say how with --pause-command and --restore-command`,
      error,
    );
  }
  let sleeping: Promise<unknown> | undefined;
  return {
    strike: () => {
      sleeping = client.pipeline([['DEBUG', 'SLEEP', pauseMs / 1000]]);
      return Promise.resolve();
    },
    restore: async () => {
      await sleeping;
      client.close();
    },
  };
}
