/** A running dashboard: a watcher, an HTTP server, and what they share. */
import type { Server } from 'node:http';
import { type NodeAddress } from '../client/index.ts';
import { ToolError } from '../tools/index.ts';
import { listening } from '../tools/metrics/index.ts';
import { type WatchOptions, Watcher } from '../tools/watch/index.ts';
import { Actions } from './actions.ts';
import { createApp } from './app.ts';
import { loadAssets } from './assets.ts';
import { Guard } from './guard.ts';
import { addToHistory, emptyHistory } from './history.ts';
import type { RunState } from './messages.ts';

export interface DashboardOptions extends WatchOptions {
  readonly seeds: readonly NodeAddress[];
  /** IP address to listen on. */
  readonly bind: string;
  readonly port: number;
  /** Further names by which browsers reach it. */
  readonly hosts: readonly string[];
  /** Lets people act where others can reach it too. */
  readonly allowsActions: boolean;
  /** Of this program. */
  readonly version: string;
}

export const DASHBOARD_PORT = 7100;

export class Dashboard {
  /** For a browser, with the token that lets people act. */
  readonly url: string;
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  /** Watches and listens. Throws ToolError when no seed answers or the port is taken. */
  static async start(options: DashboardOptions): Promise<Dashboard> {
    const watcher = await Watcher.open(options);
    const guard = new Guard(options);
    const ending = new AbortController();
    const history = emptyHistory();
    addToHistory(history, watcher.snapshot);
    watcher.listen({
      onSnapshot: (snapshot) => addToHistory(history, snapshot),
      onEvent: () => undefined,
    });
    const runListeners = new Set<(run: RunState) => void>();
    const actions =
      watcher.snapshot.kind === 'cluster' && guard.allowsActions
        ? new Actions({
            seeds: options.seeds,
            journalFolder: options.journalFolder,
            onRun: (run) => runListeners.forEach((listener) => listener(run)),
          })
        : undefined;
    const app = createApp({
      ...options,
      watcher,
      guard,
      actions,
      assets: loadAssets(),
      ending: ending.signal,
      hello: () => ({
        snapshot: watcher.snapshot,
        events: watcher.events,
        history,
        run: actions?.run,
      }),
      onRun: (listener) => {
        runListeners.add(listener);
        return () => void runListeners.delete(listener);
      },
    });
    const end = async (): Promise<void> => {
      ending.abort();
      await actions?.close();
      await watcher.close();
    };
    try {
      const server = await listen(app.fetch, options);
      const host = options.bind.includes(':') ? `[${options.bind}]` : options.bind;
      return new Dashboard(`http://${host}:${options.port}/?token=${guard.token}`, async () => {
        const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
        await end();
        server.closeAllConnections();
        await closed;
      });
    } catch (error) {
      await end();
      throw error;
    }
  }

  /** Ends in order: a run that is under way is finished first. */
  close(): Promise<void> {
    return this.#close();
  }
}

/** Throws ToolError `LOCAL` when the port cannot be had. */
async function listen(fetch: Fetch, { bind, port }: DashboardOptions): Promise<Server> {
  try {
    return await listening(fetch, { bind, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EADDRINUSE' ? 'the port is taken' : message;
    const text = `Cannot serve the dashboard on ${bind}:${port}: ${reason}, say another port`;
    throw new ToolError('LOCAL', text, error);
  }
}

type Fetch = Parameters<typeof listening>[0];
