/**
 * `slotline watch`: on a terminal one screen that is kept up to date; elsewhere the nodes once and then a line an event;
 * with --json a line of JSON for every snapshot and event.
 */
import { once } from 'node:events';
import type { ExitStatus } from '../errors.ts';
import type { Screen } from '../screen.ts';
import { type Paint, eventLine, headLine, nodeLines, screenLines } from './lines.ts';
import { type WatchOptions, Watcher } from './watcher.ts';

export interface WatchToolOptions extends WatchOptions {
  /** Looks once and ends; status 1 when not all is well. */
  readonly isOnce: boolean;
  /** Ends the watching. */
  readonly signal: AbortSignal;
}

/**
 * The other screen of a terminal, which leaves what stood there before as it was, without a cursor, and with lines that end
 * at its edge; and the way back.
 */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const ROWS_DEFAULT = 24;

/** Runs until told to end. Throws ToolError when no seed answers. */
export async function watch(options: WatchToolOptions, screen: Screen): Promise<ExitStatus> {
  const watcher = await Watcher.open(options);
  try {
    if (options.isOnce) {
      showOnce(watcher, screen);
      return watcher.snapshot.state === 'ok' ? 0 : 1;
    }
    const isTerminal = process.stdout.isTTY && !screen.isJson;
    await (isTerminal
      ? keepScreen(watcher, options.signal, screen)
      : tell(watcher, options, screen));
    return 0;
  } finally {
    await watcher.close();
  }
}

function showOnce({ snapshot }: Watcher, screen: Screen): void {
  screen.event({ type: 'snapshot', ...snapshot });
  const paint = paintOf(screen);
  screen.out(headLine(snapshot, paint));
  for (const line of nodeLines(snapshot, paint)) screen.out(line);
}

function paintOf(screen: Screen): Paint {
  return (colour, text) => screen.paint(colour, text);
}

/** Lines for a file or another program. */
async function tell(watcher: Watcher, { signal }: WatchToolOptions, screen: Screen): Promise<void> {
  showOnce(watcher, screen);
  const stop = watcher.listen({
    onSnapshot: (snapshot) => screen.event({ type: 'snapshot', ...snapshot }),
    onEvent: (event) => {
      screen.event({ type: 'event', ...event });
      screen.out(eventLine(event, paintOf(screen)));
    },
  });
  if (!signal.aborted) await once(signal, 'abort');
  stop();
}

async function keepScreen(watcher: Watcher, signal: AbortSignal, screen: Screen): Promise<void> {
  const draw = (): void => {
    const rows = process.stdout.rows || ROWS_DEFAULT;
    const options = { rows: rows - 1, paint: paintOf(screen) };
    const lines = screenLines(watcher.snapshot, watcher.events, options);
    process.stdout.write(HOME + lines.map((line) => line + CLEAR_LINE).join('\n') + CLEAR_BELOW);
  };
  process.stdout.write(ENTER);
  const stop = watcher.listen({ onSnapshot: draw, onEvent: () => undefined });
  process.stdout.on('resize', draw);
  try {
    draw();
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    stop();
    process.stdout.off('resize', draw);
    process.stdout.write(LEAVE);
  }
}
