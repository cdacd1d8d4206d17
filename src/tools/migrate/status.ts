/** `slotline migrate status`, and the orders to a run: pause, resume, throttle. */
import type { ExitStatus } from '../errors.ts';
import { type Screen, tableLines } from '../screen.ts';
import { type Orders, type RunReport, giveOrders, readReport } from './control.ts';
import { megabytes } from './report.ts';

/** Status 0 while the run in `dir` goes on, 3 when it ended. Throws ToolError when there was none. */
export function showStatus(dir: string, screen: Screen): ExitStatus {
  const { report, isRunning } = readReport(dir);
  screen.json({ running: isRunning, ...report });
  screen.out(`${report.source} -> ${report.target}: ${stateText(report, isRunning)}`);
  const header = ['source', 'phase', 'part', 'keys', 'commands', 'lag bytes', 'lag ms'];
  const rows = report.sources.map((status) => [
    status.source,
    status.phase,
    partText(status),
    String(status.keys),
    String(status.commands),
    String(status.lagBytes),
    String(status.lagMs),
  ]);
  for (const line of tableLines(header, rows, [2, 3, 4, 5, 6])) screen.out(line);
  if (report.quarantined > 0) screen.out(`${report.quarantined} commands are in the quarantine`);
  return isRunning ? 0 : 3;
}

function stateText({ pid, orders, atUnixMs }: RunReport, isRunning: boolean): string {
  if (!isRunning) return `ended at ${new Date(atUnixMs).toISOString()}; the same command goes on`;
  const paused = orders.isPaused ? ', paused' : '';
  const bound = orders.rateBytes > 0 ? `, at most ${megabytes(orders.rateBytes)}/s a master` : '';
  return `runs as process ${pid}${paused}${bound}`;
}

function partText({ phase, snapshotBytes, snapshotSize }: RunReport['sources'][number]): string {
  if (phase !== 'snapshot' || snapshotSize === undefined || snapshotSize === 0) return '-';
  return `${Math.floor((100 * snapshotBytes) / snapshotSize)} %`;
}

/** Orders take effect within a second. Throws ToolError when no run was ever in `dir`. */
export function order(dir: string, change: Partial<Orders>, screen: Screen): ExitStatus {
  const { isRunning } = readReport(dir);
  const orders = giveOrders(dir, change);
  screen.json({ running: isRunning, orders });
  screen.out(isRunning ? 'The run has its orders' : 'No run goes on; the next one has its orders');
  return 0;
}
