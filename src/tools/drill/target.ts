/** What a drill needs of a deployment: a cluster, or a master that Sentinels watch. */
import type { Deployment, Endpoint, NodeAddress } from '../../client/index.ts';
import type { Timeline } from './timeline.ts';

/** A hand-over, or a fault that leads to one. */
export type DrillKind = 'manual' | 'coordinated' | 'force' | 'takeover' | 'kill' | 'pause';

export interface Member {
  /** Node id in a cluster; `host:port` elsewhere. */
  readonly id: string;
  /** `host:port`. */
  readonly name: string;
  readonly address: NodeAddress;
}

/** A master and its replicas. */
export interface Shard {
  /** Its slots, or the name that Sentinels know. */
  readonly name: string;
  readonly master: Member;
  readonly replicas: readonly Member[];
  /** A hash tag whose keys belong to it. */
  readonly tag: string;
}

export interface Target {
  /** For people: what it is and where. */
  readonly title: string;
  /** The kinds that it knows by commands of its own. */
  readonly kinds: readonly DrillKind[];
  /** A silence of this length makes it fail over, milliseconds. */
  readonly silenceMs: number;
  /** As it is now. Throws ToolError. */
  shards(): Promise<Shard[]>;
  /** What is wrong with it, one line; undefined when all is well but for `missing`, whom nobody waits for. */
  problem(missing: Member | undefined): Promise<string | undefined>;
  /** The master that clients were last told of, where they are told; else they learn by redirections alone. */
  readonly news: Endpoint | undefined;
  /** Where a client goes whose node has failed it. */
  another(failed: Endpoint): Promise<Endpoint>;
  /** Makes all ready for a hand-over of one of `kinds`; the function that comes back asks for it. Throws ToolError. */
  aim(kind: DrillKind, shard: Shard): Promise<() => Promise<void>>;
  /** Watches every node and writes what happens to `timeline`, until the function that comes back is called. */
  watch(timeline: Timeline): Promise<() => void>;
  /** Its data, to read back what was written. Throws ClientError. */
  data(): Promise<Deployment>;
}
