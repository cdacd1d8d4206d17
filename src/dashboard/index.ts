/**
 * The dashboard: a page that shows a deployment live, and the server behind it. The page itself is in `page/`, built by
 * Vite into the package.
 */
export { DASHBOARD_PORT, Dashboard, type DashboardOptions } from './serve.ts';
export { type DashboardToolOptions, dashboard } from './tool.ts';
