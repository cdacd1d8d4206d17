/** All directives in one table, the `Settings` that hold their values, and the way from a name to its line. */
import type { DirectiveSpec, DirectiveValue, ValueOf } from './directive.ts';
import { CLUSTER_DIRECTIVES } from './directives-cluster.ts';
import { KEYSPACE_DIRECTIVES } from './directives-keyspace.ts';
import { NETWORK_DIRECTIVES } from './directives-network.ts';
import { PERSISTENCE_DIRECTIVES } from './directives-persistence.ts';
import { REPLICATION_DIRECTIVES } from './directives-replication.ts';
import { SERVER_DIRECTIVES } from './directives-server.ts';

type Directives = typeof NETWORK_DIRECTIVES &
  typeof SERVER_DIRECTIVES &
  typeof KEYSPACE_DIRECTIVES &
  typeof PERSISTENCE_DIRECTIVES &
  typeof REPLICATION_DIRECTIVES &
  typeof CLUSTER_DIRECTIVES;

export type DirectiveName = keyof Directives;

/**
 * The value of every directive under its own name: `settings['cluster-node-timeout']` is a number,
 * `settings['appendfsync']` one of three words. A plain object with fixed properties, cheap to read.
 */
export type Settings = { readonly [N in DirectiveName]: ValueOf<Directives[N]> };

/** A directive as a user may name it. */
export interface FoundDirective {
  readonly name: DirectiveName;
  readonly spec: DirectiveSpec;
  /** In lower case; differs from `name` when it is the older alias. */
  readonly calledName: string;
}

/** Every directive of redis-server 7.0.15, by its own name. */
export const DIRECTIVES: Readonly<Record<DirectiveName, DirectiveSpec>> = {
  ...NETWORK_DIRECTIVES,
  ...SERVER_DIRECTIVES,
  ...KEYSPACE_DIRECTIVES,
  ...PERSISTENCE_DIRECTIVES,
  ...REPLICATION_DIRECTIVES,
  ...CLUSTER_DIRECTIVES,
};

/** Own names in the order of the tables. */
export const DIRECTIVE_NAMES: readonly DirectiveName[] = Object.keys(DIRECTIVES) as DirectiveName[];

const BY_CALLED_NAME: ReadonlyMap<string, FoundDirective> = indexNames();

function indexNames(): Map<string, FoundDirective> {
  const index = new Map<string, FoundDirective>();
  for (const name of DIRECTIVE_NAMES) {
    const spec = DIRECTIVES[name];
    index.set(name, { name, spec, calledName: name });
    if (spec.alias !== undefined) {
      index.set(spec.alias, { name, spec, calledName: spec.alias });
    }
  }
  return index;
}

/** The directive called `name` (own name or alias, any case). */
export function findDirective(name: string): FoundDirective | undefined {
  return BY_CALLED_NAME.get(name.toLowerCase());
}

/** Every name that CONFIG GET can list, aliases included, hidden ones too. */
export function everyCalledName(): Iterable<FoundDirective> {
  return BY_CALLED_NAME.values();
}

/** A fresh object with the default of every directive. `dir` is empty until the shell fills it in. */
export function defaultSettings(): Settings {
  const values: Partial<Record<DirectiveName, DirectiveValue>> = {};
  for (const name of DIRECTIVE_NAMES) values[name] = DIRECTIVES[name].default;
  // Spreading gives an object whose shape the engine knows, instead of a dictionary. The cast holds because
  // the loop filled every name with the default of its own specification.
  return { ...values } as Settings;
}
