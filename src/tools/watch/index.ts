/**
 * Watching a deployment of any kind: a cluster, Sentinels with their masters, a master with replicas.
 */
export type {
  Copier,
  DeploymentKind,
  EventDraft,
  EventKind,
  Health,
  NodeSnapshot,
  NodeStats,
  SentinelSnapshot,
  WatchEvent,
  WatchSnapshot,
  WorkSnapshot,
} from './model.ts';
export { WATCH_INTERVAL_MS, type WatchOptions, type Watched, Watcher } from './watcher.ts';
export { type WatchToolOptions, watch } from './watch.ts';
