/** A snapshot and its events as lines of a terminal. Pure. */
import { formatRanges } from '../cluster/index.ts';
import { type Colour, tableLines } from '../screen.ts';
import type { NodeSnapshot, WatchEvent, WatchSnapshot } from './model.ts';

export type Paint = (colour: Colour, text: string) => string;

const RANGES_SHOWN = 2;
const HEADER = ['NODE', 'ROLE', 'HEALTH', 'SLOTS', 'LAG', 'OPS/S', 'KEYS', 'MEMORY', 'LATENCY'];
const FIGURES = [4, 5, 6, 7, 8];
const TONES: Readonly<Record<WatchEvent['tone'], Colour>> = {
  good: 'green',
  info: 'dim',
  warn: 'yellow',
  bad: 'red',
};
const STATES: Readonly<Record<WatchSnapshot['state'], readonly [Colour, string]>> = {
  ok: ['green', 'all is well'],
  degraded: ['yellow', 'serving, not all is well'],
  fail: ['red', 'not serving'],
};

/** What is watched and how it is. */
export function headLine(snapshot: WatchSnapshot, paint: Paint): string {
  const [colour, words] = STATES[snapshot.state];
  const epoch = snapshot.currentEpoch === undefined ? '' : `, epoch ${snapshot.currentEpoch}`;
  const slots =
    snapshot.slotsAssigned === undefined ? '' : `, ${snapshot.slotsAssigned} slots assigned`;
  return `${snapshot.kind} ${paint('bold', snapshot.name)}: ${paint(colour, words)}${epoch}${slots}`;
}

/** A line a node, replicas indented below their masters; then Sentinels, then what operators do. */
export function nodeLines(snapshot: WatchSnapshot, paint: Paint): string[] {
  const [header = '', ...rows] = tableLines(
    HEADER,
    snapshot.nodes.map((node) => cellsOf(node)),
    FIGURES,
  );
  const lines = rows.map((row, index) => {
    const node = snapshot.nodes[index];
    const colour = node === undefined ? undefined : colourOf(node);
    return colour === undefined ? row : paint(colour, row);
  });
  const sentinels = snapshot.sentinels.map(({ address, health, failure, isTilted, masters }) => {
    const state = health === 'ok' ? (isTilted ? 'TILT' : 'ok') : `unreachable: ${failure ?? ''}`;
    const line = `Sentinel ${address}  ${state}  watches ${masters.join(', ')}`;
    return health === 'ok' && !isTilted ? line : paint('yellow', line);
  });
  const work = snapshot.work.map(({ text, progress }) =>
    progress === undefined ? `* ${text}` : `* ${text} (${Math.floor(progress * 100)} %)`,
  );
  return [paint('dim', header), ...lines, ...sentinels, ...work];
}

/** `14:03:05.120 127.0.0.1:7000 FAIL: …`; times are UTC, as logs of machines in several places should be. */
export function eventLine({ atUnixMs, node, tone, text }: WatchEvent, paint: Paint): string {
  const time = new Date(atUnixMs).toISOString().slice(11, 23);
  return `${paint('dim', time)} ${paint(TONES[tone], node === undefined ? text : `${node} ${text}`)}`;
}

/** All of it, at most `rows` lines: the nodes first, and as many of the last events as there is room for. */
export function screenLines(
  snapshot: WatchSnapshot,
  events: readonly WatchEvent[],
  { rows, paint }: { readonly rows: number; readonly paint: Paint },
): string[] {
  const above = [headLine(snapshot, paint), '', ...nodeLines(snapshot, paint), ''];
  const room = Math.max(0, rows - above.length);
  const last = room === 0 ? [] : events.slice(-room).toReversed();
  return [...above, ...last.map((event) => eventLine(event, paint))].slice(0, rows);
}

function cellsOf(node: NodeSnapshot): string[] {
  const { stats } = node;
  const isReplica = node.role === 'replica';
  return [
    isReplica ? `  ${node.address}` : node.address,
    node.role,
    node.health,
    isReplica ? '' : (node.group ?? formatRanges(node.slots, RANGES_SHOWN)),
    isReplica ? lagText(node) : '',
    stats?.opsPerSecond === undefined ? '' : String(Math.round(stats.opsPerSecond)),
    stats === undefined ? '' : String(stats.keys),
    stats === undefined ? '' : `${(stats.usedBytes / 2 ** 20).toFixed(1)} MiB`,
    stats === undefined ? '' : `${stats.latencyMs.toFixed(2)} ms`,
  ];
}

function lagText({ stats }: NodeSnapshot): string {
  if (stats === undefined) return '';
  if (stats.isSyncing) return 'full copy';
  if (!stats.isLinkUp) return 'no link';
  return stats.lagBytes === undefined ? '' : `${stats.lagBytes} B`;
}

function colourOf({ health, stats }: NodeSnapshot): Colour | undefined {
  if (health === 'fail' || health === 'odown') return 'red';
  return health !== 'ok' || stats?.isLinkUp === false ? 'yellow' : undefined;
}
