/** What a Sentinel answers about masters to those who ask. */
import type { SentinelContext } from './context.ts';
import { isFullyConnected } from './links.ts';
import { roleWord } from './names.ts';
import { majority } from './rules.ts';
import type { Instance, Master } from './types.ts';

/** The flags of an instance as SENTINEL MASTERS and its like list them. */
export function flagsOf(instance: Instance): string {
  const flags: string[] = [];
  const isMaster = instance.role === 'master';
  if (instance.sdownSince !== undefined) flags.push('s_down');
  if (isMaster && instance.odownSince !== undefined) flags.push('o_down');
  flags.push(roleWord(instance.role));
  if (!isFullyConnected(instance)) flags.push('disconnected');
  if (instance.role === 'sentinel' && instance.saysMasterDown) flags.push('master_down');
  if (isMaster && instance.failover.state !== 'none') flags.push('failover_in_progress');
  if (instance.role === 'replica') {
    if (instance.isPromoted) flags.push('promoted');
    const word = RECONFIGURATION_FLAGS[instance.reconfiguration];
    if (word !== undefined) flags.push(word);
  }
  if (isMaster && instance.failover.isForced) {
    flags.push(instance.failover.isCoordinated ? 'coordinated_failover' : 'force_failover');
  }
  if (instance.isScriptKillSent) flags.push('script_kill_sent');
  if (isMaster && instance.rebootedAt !== undefined) flags.push('master_reboot');
  return flags.join(',');
}

const RECONFIGURATION_FLAGS = {
  none: undefined,
  sent: 'reconf_sent',
  inProgress: 'reconf_inprog',
  done: 'reconf_done',
} as const;

export interface QuorumReport {
  /** Sentinels that could take part, ourselves counted. */
  readonly usable: number;
  readonly hasQuorum: boolean;
  /** Whether they are the majority of all that are known, so that they may elect a leader. */
  readonly hasMajority: boolean;
}

/** Whether enough Sentinels can be reached to agree on ODOWN and on a leader. */
export function quorumReport(master: Master): QuorumReport {
  let usable = 1;
  for (const { sdownSince } of master.sentinels.values()) if (sdownSince === undefined) usable++;
  return {
    usable,
    hasQuorum: usable >= master.settings.quorum,
    hasMajority: usable >= majority(master.sentinels.size + 1),
  };
}

/** The master at an address as other Sentinels call it. */
export function masterAt(c: SentinelContext, host: string, port: number): Master | undefined {
  for (const master of c.masters.values()) {
    const { address } = master;
    if (address.port === port && (address.ip === host || address.hostname === host)) return master;
  }
  return undefined;
}
