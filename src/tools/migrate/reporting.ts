/** What a run says of itself while it works, to whoever reads the screen or asks by `status`; and the orders it gets. */
import type { Screen } from '../screen.ts';
import { FlowControl, giveOrders, readOrders, writeReport } from './control.ts';
import type { Quarantine } from './quarantine.ts';
import { RunNotice } from '../run-notice.ts';
import { ProgressMeter, noticeOf, showSummary } from './report.ts';
import type { RunStatus } from './run-status.ts';

export interface ReportingOptions {
  /** Folder of the run; exists by `begin`. */
  readonly dir: string;
  readonly rateBytes: number | undefined;
}

const PROGRESS_MS = 2000;
/** How often orders are read and the report is written. */
const ORDERS_MS = 250;
/** How often watchers are told; each time is a file that is renamed, and the streams wait for it. */
const NOTICE_MS = 1000;

export class Reporting {
  readonly control: FlowControl;
  readonly meter: ProgressMeter;
  readonly #options: ReportingOptions;
  readonly #names: { readonly source: string; readonly target: string };
  readonly #screen: Screen;
  #statuses: () => readonly RunStatus[] = () => [];
  #quarantine: Quarantine | undefined;
  #timers: NodeJS.Timeout[] = [];
  readonly #notice: RunNotice;

  /** A pause and a bound on the rate outlive the run before; its order to complete does not. */
  constructor(
    options: ReportingOptions,
    names: { readonly source: string; readonly target: string },
    screen: Screen,
  ) {
    const { dir, rateBytes } = options;
    const rate = rateBytes === undefined ? {} : { rateBytes };
    this.#options = options;
    this.#names = names;
    this.#screen = screen;
    this.#notice = new RunNotice('migrate', screen);
    this.meter = new ProgressMeter(screen);
    this.control = new FlowControl(giveOrders(dir, { isToComplete: false, ...rate }));
  }

  /** From now on. */
  begin(statuses: () => readonly RunStatus[], quarantine: Quarantine): void {
    this.#statuses = statuses;
    this.#quarantine = quarantine;
    this.#report();
    this.#tell();
    this.#timers = [
      setInterval(() => this.meter.show(statuses()), PROGRESS_MS),
      setInterval(() => this.#tell(), NOTICE_MS),
      setInterval(() => {
        this.control.orders = readOrders(this.#options.dir);
        this.#report();
      }, ORDERS_MS),
    ];
  }

  /** The last words. */
  end(isWhole: boolean): void {
    this.#report();
    const quarantine = this.#quarantine;
    if (quarantine === undefined) return;
    showSummary({ statuses: this.#statuses(), quarantine, isWhole }, this.#screen);
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#notice.end();
  }

  #tell(): void {
    this.#notice.tell(noticeOf(this.#names, this.#statuses()));
  }

  #report(): void {
    writeReport(this.#options.dir, {
      pid: process.pid,
      atUnixMs: Date.now(),
      ...this.#names,
      orders: this.control.orders,
      quarantined: this.#quarantine?.count ?? 0,
      sources: this.#statuses(),
    });
  }
}
