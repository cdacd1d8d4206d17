/**
 * Metrics and health of nodes, Sentinels and whole deployments, over HTTP, under redis_exporter's names.
 */
export { type Health, addAdminRoutes, listening, serveAdmin } from './admin.ts';
export { type Ask, collectFigures, whyNotReady } from './collect.ts';
export { deploymentFigures } from './deployment.ts';
