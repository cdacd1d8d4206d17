/** A running dashboard: a watcher, an HTTP server, and what they share. */
import type { Server } from 'node:http';
import { type NodeAddress } from '../client/index.ts';
import { ToolError } from '../tools/index.ts';
import { listening } from '../tools/metrics/index.ts';
import { type WatchOptions, type WatchSnapshot, Watcher } from '../tools/watch/index.ts';
import { Actions } from './actions.ts';
import { createApp } from './app.ts';
import { loadAssets } from './assets.ts';
import { ClusterOperator } from './cluster-operator.ts';
import { Guard } from './guard.ts';
import { addToHistory, emptyHistory } from './history.ts';
import type { RunState } from './messages.ts';
import type { Operator } from './operator.ts';
import { SentinelOperator } from './sentinel-operator.ts';

export interface DashboardOptions extends WatchOptions {
  readonly seeds: readonly NodeAddress[];
  /** IP address to listen on. */
  readonly bind: string;
  readonly port: number;
  /** Further names by which browsers reach it, see `GuardOptions`. */
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
    const operator = guard.allowsActions ? operatorOf(watcher, options) : undefined;
    const onRun = (run: RunState): void => runListeners.forEach((listener) => listener(run));
    const actions = operator === undefined ? undefined : new Actions({ operator, onRun });
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

/** Undefined where nobody can switch over. */
function operatorOf(watcher: Watcher, options: DashboardOptions): Operator | undefined {
  switch (watcher.snapshot.kind) {
    case 'cluster':
      return new ClusterOperator(options);
    case 'sentinel':
      return new SentinelOperator({
        seeds: options.seeds,
        groupsOf: (node) => groupsOf(watcher.snapshot, node),
      });
    case 'replication':
      return undefined;
  }
}

/** Names under which Sentinels watch the master of a node, or all that they watch. */
function groupsOf({ nodes }: WatchSnapshot, node: string | undefined): readonly string[] {
  const groups = nodes
    .filter(({ id }) => node === undefined || id === node)
    .map(({ group }) => group)
    .filter((group) => group !== undefined);
  return [...new Set(groups)];
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
