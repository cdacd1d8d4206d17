/**
 * `slotline up`: a cluster on this machine, a process for each node, with its data in one folder.
 */
export { type DashboardWish, type ServeDashboard, type ServedDashboard } from './dashboard-page.ts';
export { up, type UpOptions } from './launcher.ts';
export { UP_DEFAULTS, type UpRequest, type UpShape } from './options.ts';
export { type SentinelUpOptions, upSentinel } from './sentinel-up.ts';
