/** What the copy of one master needs to know. */
import type { Deployment, DeploymentOptions, NodeAddress } from '../../client/index.ts';
import type { DatabasePair, FieldExpiryPolicy } from '../flow/index.ts';
import type { FlowControl } from './control.ts';
import type { KeyFilter } from './key-filter.ts';
import type { Quarantine } from './quarantine.ts';
import type { ReadBeat } from './read-beat.ts';
import type { RunState } from './run-state.ts';
import type { Conflict } from './snapshot-writer.ts';

export interface SourceRunOptions {
  readonly address: NodeAddress;
  /** What `state` knows this master by. */
  readonly key: string;
  readonly state: RunState;
  /** Slots of which keys came from another master; called before anything that comes later is carried out. */
  readonly onImports: (slots: readonly number[]) => void;
  /** Whether a slot will be copied anew, so that it does not matter what became of a command there. */
  readonly isDisputed: (slot: number) => boolean;
  /** Of which this master is one; for questions about single keys. */
  readonly source: Deployment;
  readonly pairs: readonly DatabasePair[];
  /** Whether the target loses its keys before the snapshot comes. */
  readonly removesExtra: boolean;
  readonly target: DeploymentOptions;
  /** Folder for spool files; exists. */
  readonly dir: string;
  readonly spoolBytesMax: number;
  readonly conflict: Conflict;
  readonly fieldExpiry: FieldExpiryPolicy;
  readonly targetDb: (sourceDb: number) => number | undefined;
  readonly filter: KeyFilter | undefined;
  /** Whether the source has no other master now. */
  readonly isAlone: () => boolean;
  readonly quarantine: Quarantine;
  /** Of all masters together. */
  readonly control: FlowControl;
  /** Of all masters together. */
  readonly beat: ReadBeat;
  readonly note: (line: string) => void;
}
