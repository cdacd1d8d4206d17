/** `slotline sentinel failover`: has a Sentinel move a master, and waits until it has. */
import { setTimeout as pause } from 'node:timers/promises';
import type { NodeAddress, RespClient } from '../../client/index.ts';
import { type ExitStatus, ToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import {
  type Facts,
  addressOf,
  ask,
  couldTakeOver,
  withSentinel,
  fact,
  listOf,
  masterOf,
} from './ask.ts';
import { canHandOver, isUnknownWord } from './hand-over.ts';

export const FAILOVER_TIMEOUT_MS = 60_000;
const POLL_MS = 25;

export interface FailoverRequest {
  readonly seeds: readonly NodeAddress[];
  /** Undefined: the only master there is. */
  readonly name: string | undefined;
  /** The master hands over, and nothing acknowledged is lost. */
  readonly isCoordinated: boolean;
  readonly timeoutMs: number;
  /** Where the master must be; anywhere without. */
  readonly from?: string;
}

/** A failover as it would be done now. */
export interface FailoverPlan {
  readonly name: string;
  /** Where the master is. */
  readonly from: string;
  /** Whether the Sentinel can have the master hand over. */
  readonly isCoordinated: boolean;
  /** For people. */
  readonly line: string;
}

/** What the states of a failover mean. Source: `failover-state` of SENTINEL MASTER. */
const STATES: Readonly<Record<string, string>> = {
  wait_start: 'waits to begin',
  select_slave: 'chooses a replica',
  send_failover: 'asks the master to hand over',
  send_slaveof_noone: 'promotes the replica',
  wait_promotion: 'waits for the new master',
  reconf_slaves: 'turns the other replicas to it',
  update_config: 'tells the others',
};

/** Status 0 when another node is master, 1 when the Sentinel gave up. Throws ToolError. */
export async function failOver(request: FailoverRequest, screen: Screen): Promise<ExitStatus> {
  return withSentinel(request.seeds, async (client) => {
    const before = await masterOf(client, request.name);
    const name = fact(before, 'name');
    if (request.from !== undefined && addressOf(before) !== request.from) {
      const message = `Cannot fail over ${name}: it moved from ${request.from} to ${addressOf(before)} meanwhile`;
      throw new ToolError('NODES_REFUSED', message);
    }
    await begin(client, name, request.isCoordinated);
    const after = await watch(client, name, request.timeoutMs, screen);
    const [from, to] = [addressOf(before), addressOf(after)];
    const isOk = from !== to;
    screen.json({ ok: isOk, master: name, from, to });
    if (isOk) {
      screen.out(`${screen.paint('green', 'OK')} ${name} moved from ${from} to ${to}`);
      return 0;
    }
    const why = 'its log says why';
    screen.out(
      `${screen.paint('red', 'PROBLEM')} ${name} stays at ${from}: Sentinel ${client.name} gave up, ${why}`,
    );
    return 1;
  });
}

/** What a failover of `name` would be. Throws ToolError when the Sentinel would refuse or could not. */
export async function planFailover(
  seeds: readonly NodeAddress[],
  name: string,
): Promise<FailoverPlan> {
  return withSentinel(seeds, async (client) => {
    const master = await masterOf(client, name);
    const from = addressOf(master);
    const state = fact(master, 'failover-state');
    if (state !== '' && state !== 'none') {
      throw new ToolError('NODES_REFUSED', `A failover of ${name} goes on: wait for its end`);
    }
    const heirs = (await listOf(client, 'REPLICAS', name)).filter(couldTakeOver).map(addressOf);
    if (heirs.length === 0) {
      throw new ToolError('NODES_REFUSED', `No replica of ${name} could take over from ${from}`);
    }
    const isCoordinated = await canHandOver(client, name);
    const heir = heirs.length === 1 ? heirs[0] : `one of ${heirs.join(', ')}`;
    const how = isCoordinated ? `${from} hands over to` : `${from} is replaced by`;
    return {
      name,
      from,
      isCoordinated,
      line: `${name}: ${how} ${heir}, by Sentinel ${client.name}`,
    };
  });
}

async function begin(client: RespClient, name: string, isCoordinated: boolean): Promise<void> {
  try {
    await ask(client, 'FAILOVER', name, ...(isCoordinated ? ['COORDINATED'] : []));
  } catch (error) {
    if (!isCoordinated || !(error instanceof ToolError)) throw error;
    if (!isUnknownWord(error)) throw error;
    const message = `Sentinel ${client.name} cannot coordinate: it is neither ours nor Valkey's of version 9, leave out --coordinated`;
    throw new ToolError('NODES_REFUSED', message, error);
  }
}

/** Follows the failover to its end; what the master is then. Throws ToolError `NOT_IN_TIME`. */
async function watch(
  client: RespClient,
  name: string,
  timeoutMs: number,
  screen: Screen,
): Promise<Facts> {
  const deadlineMs = performance.now() + timeoutMs;
  let shown = '';
  for (;;) {
    const master = await masterOf(client, name);
    const state = fact(master, 'failover-state');
    if (state === '' || state === 'none') return master;
    if (state !== shown) screen.note(`${client.name} ${STATES[state] ?? state}`);
    shown = state;
    if (performance.now() > deadlineMs) {
      const what = `after ${timeoutMs / 1000} s it still ${STATES[state] ?? state}`;
      throw new ToolError('NOT_IN_TIME', `The failover of "${name}" goes on: ${what}`);
    }
    await pause(POLL_MS);
  }
}
