/** A failover drill: breaks a shard on purpose, under load, and tells what clients met. */
export { type DrillOptions, drill } from './drill.ts';
export { type DrillKind } from './target.ts';
