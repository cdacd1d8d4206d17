/** The admin port: `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever starts and stops processes. */
import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { type Figure, METRICS_TYPE, writeSheet } from './sheet.ts';

/** What is behind the routes. */
export interface Health {
  readonly figures: () => Promise<readonly Figure[]>;
  /** Why not; undefined when it is ready for clients. */
  readonly whyNotReady: () => Promise<string | undefined>;
}

/** Adds the three routes; a figure or a state that cannot be had is answered with 503. */
export function addAdminRoutes(app: Hono, { figures, whyNotReady }: Health): void {
  app.get('/healthz', (context) => context.text('ok\n'));
  app.get('/readyz', async (context) => {
    const reason = await orReason(whyNotReady);
    return reason === undefined ? context.text('ready\n') : unavailable(context, reason);
  });
  app.get('/metrics', async (context) => {
    context.header('Content-Type', METRICS_TYPE);
    return context.body(await writeSheet(await figures()));
  });
}

/** Listens; answers how to end it. Rejects with the system's error when the port cannot be had. */
export async function serveAdmin(
  place: { readonly bind: string; readonly port: number },
  health: Health,
): Promise<() => Promise<void>> {
  const app = new Hono();
  addAdminRoutes(app, health);
  const server = await listening(app.fetch, place);
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
}

/** A server that listens. Rejects with the system's error. */
export function listening(
  fetch: Parameters<typeof serve>[0]['fetch'],
  { bind, port }: { readonly bind: string; readonly port: number },
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: bind, port }) as Server;
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

/** A node that cannot even be asked is not ready. */
async function orReason(ask: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await ask();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function unavailable(context: Context, reason: string): Response {
  return context.text(`not ready: ${reason}\n`, 503);
}
