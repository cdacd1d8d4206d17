/** `slotline dashboard`: serves until it is told to end. */
import { once } from 'node:events';
import type { ExitStatus, Screen } from '../tools/index.ts';
import { Dashboard, type DashboardOptions } from './serve.ts';

export interface DashboardToolOptions extends DashboardOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Runs until it is told to end. Throws ToolError. */
export async function dashboard(
  options: DashboardToolOptions,
  screen: Screen,
): Promise<ExitStatus> {
  const { signal } = options;
  const running = await Dashboard.start(options);
  screen.out(`Dashboard: ${running.url}`);
  screen.json({ ok: true, url: running.url });
  screen.note('Ctrl-C ends it.');
  if (!signal.aborted) await once(signal, 'abort');
  await running.close();
  return 0;
}
