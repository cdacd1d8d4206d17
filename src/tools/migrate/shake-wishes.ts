/** What a configuration file of RedisShake asks for, in our words. */
import { type DeploymentOptions, type NodeAddress, parseAddress } from '../../client/index.ts';
import { ToolError } from '../errors.ts';
import type { DatabasePair } from '../flow/index.ts';
import type { FilterRules } from './key-filter.ts';
import type { Conflict } from './snapshot-writer.ts';

/** One side: nodes, or a file. */
export type ShakeEnd =
  | { readonly kind: 'nodes'; readonly nodes: Omit<DeploymentOptions, 'timeoutMs'> }
  | { readonly kind: 'files'; readonly paths: readonly string[] };

export interface ShakeWishes {
  readonly source: ShakeEnd;
  readonly target: ShakeEnd;
  readonly sourceMode: 'psync' | 'scan';
  readonly conflict: Conflict;
  readonly removesExtra: boolean;
  /** Ends with the copy, without following. */
  readonly stopsWhenSynced: boolean;
  readonly filter: FilterRules;
  readonly databases: readonly DatabasePair[] | undefined;
  /** Databases of the source that are left out. */
  readonly withoutDatabases: readonly number[];
  readonly dir: string | undefined;
  readonly untilUnixSeconds: number | undefined;
  readonly forksMax: number | undefined;
  /** Options without a meaning here. */
  readonly ignored: readonly string[];
}

/** How nodes are logged in to. */
export interface ShakeLogin {
  readonly username: string;
  readonly password: string;
  readonly tls: boolean;
}

/** Addresses with what they have in common. */
export function nodesOf(
  addresses: readonly string[],
  { username, password, tls }: ShakeLogin,
): readonly NodeAddress[] {
  return addresses.map((address) => ({
    ...parseAddress(address),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    tls,
  }));
}

/** Error about one option. */
export function badOption(path: string, name: string, reason: string): ToolError {
  return new ToolError('USAGE', `Cannot use "${path}": ${name} ${reason}`);
}
