/** What goes over the wire between the dashboard and its page. Types only, for both ends. */
import type { WatchEvent, WatchSnapshot } from '../tools/watch/index.ts';
import type { History } from './history.ts';

/** `GET /api/session`: what this visitor may do. */
export interface Session {
  readonly version: string;
  readonly mayAct: boolean;
  /** Why not. */
  readonly refusal: string | undefined;
  /** To send back with every action; undefined for those who may not act. */
  readonly csrf: string | undefined;
}

/** First message of the stream `GET /api/stream`; `snapshot`, `event` and `run` follow. */
export interface Hello {
  readonly snapshot: WatchSnapshot;
  readonly events: readonly WatchEvent[];
  readonly history: History;
  readonly run: RunState | undefined;
}

/** `POST /api/plan`: a switchover of one shard or watched master, or of all without a `node`. */
export interface PlanRequest {
  /** Id of a node of it. */
  readonly node: string | undefined;
}

export interface PlannedRun {
  /** To name it in `POST /api/run`. */
  readonly id: string;
  /** What it means for clients. */
  readonly meaning: string;
  /** One line for each step. */
  readonly lines: readonly string[];
}

/** A run that was started from the page, as the stream tells it. */
export interface RunState {
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed';
  /** What it has said so far. */
  readonly lines: readonly string[];
}

export interface Refused {
  readonly error: string;
}
