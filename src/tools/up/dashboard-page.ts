/** The dashboard that is served beside what `slotline up` runs, which is worth having without it. */
import type { NodeAddress } from '../../client/index.ts';
import { ToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';

export interface DashboardWish {
  readonly seeds: readonly NodeAddress[];
  readonly bind: string;
  /** Where it is served unless the user said otherwise. */
  readonly port: number;
  /** Where the journal of what is started from it lives. */
  readonly journalFolder: string;
}

export interface ServedDashboard {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves it; undefined for none. Throws ToolError when it cannot. */
export type ServeDashboard = ((wish: DashboardWish) => Promise<ServedDashboard>) | undefined;

/** Distance of the dashboard's port from the first node's: beyond the last node's. */
const DASHBOARD_DISTANCE = 100;

export class DashboardPage {
  readonly #serve: ServeDashboard;
  readonly #screen: Screen;
  #served: ServedDashboard | undefined;
  #isClosed = false;

  constructor(serve: ServeDashboard, screen: Screen) {
    this.#serve = serve;
    this.#screen = screen;
  }

  /** Serves it and says where, or why not. `port` is the first node's. */
  async show({ port, ...wish }: DashboardWish): Promise<void> {
    try {
      this.#served = await this.#serve?.({ ...wish, port: port + DASHBOARD_DISTANCE });
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      this.#screen.note(error.message);
    }
    // A signal came meanwhile.
    if (this.#isClosed) await this.#served?.close();
    if (this.#served !== undefined) this.#screen.out(`  ${this.#served.url}   the dashboard`);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#served?.close();
  }
}
