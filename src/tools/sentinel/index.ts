/** `slotline sentinel …`: what Sentinels know, whether they could act, and a failover by hand; ours and real ones. */
export { checkSentinels } from './check.ts';
export { FAILOVER_TIMEOUT_MS, type FailoverPlan, failOver, planFailover } from './failover.ts';
export { showMasters } from './masters.ts';
