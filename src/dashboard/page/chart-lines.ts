/** What a chart draws: a line a node, in the colour of its shard, and how. */
import type uPlot from 'uplot';
import type { NodeSnapshot } from '../../tools/watch/index.ts';
import type { NodeHistory } from '../history.ts';
import { shardColour, shardIndexes } from './palette.ts';

export type Figure = keyof NodeHistory;

export interface Line {
  readonly id: string;
  readonly address: string;
  readonly isReplica: boolean;
  readonly colour: string;
}

export interface ChartLook {
  readonly width: number;
  readonly selectedId: string | undefined;
  /** Colours of the axes' text and of the grid. */
  readonly ink: string;
  readonly grid: string;
  readonly format: (value: number | null | undefined) => string;
  /** Steps of the axis; undefined for decimal ones. */
  readonly increments: readonly number[] | undefined;
  /** The line and the sample under the pointer; undefined when it has left. */
  readonly onPoint: (line: number | undefined, sample: number | undefined) => void;
}

const HEIGHT = 132;
const AXIS_FONT = '11px system-ui, sans-serif';
/** How near the pointer has to come to a line, pixels. */
const NEAR = 24;

/** Steps of an axis of bytes. */
export const BYTE_INCREMENTS: readonly number[] = Array.from({ length: 50 }, (_, n) => 2 ** n);

/** With more nodes than this, replicas have no line: they do what their master does, and nobody could tell lines apart. */
export const LINES_MAX = 40;

/** A line for each node; in a large deployment for each master, and for the selected node. */
export function linesOf(
  nodes: readonly NodeSnapshot[],
  { isDark, selectedId }: { readonly isDark: boolean; readonly selectedId: string | undefined },
): Line[] {
  const shards = shardIndexes(nodes);
  const isLarge = nodes.length > LINES_MAX;
  const shown = nodes.filter(({ id, role }) => !isLarge || role === 'master' || id === selectedId);
  return shown.map(({ id, address, role }) => ({
    id,
    address,
    isReplica: role === 'replica',
    colour: shardColour(shards.get(id) ?? 0, isDark),
  }));
}

/** Options of uPlot for these lines. */
export function chartOptions(lines: readonly Line[], look: ChartLook): uPlot.Options {
  const axis = { stroke: look.ink, font: AXIS_FONT, ticks: { show: false } };
  const grid = { stroke: look.grid, width: 1 };
  let near: number | undefined;
  return {
    width: look.width,
    height: HEIGHT,
    padding: [6, 4, 0, 0],
    legend: { show: false },
    focus: { alpha: 0.25 },
    cursor: { y: false, drag: { x: false, y: false }, focus: { prox: NEAR }, points: { size: 5 } },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(max * 1.12, Number.MIN_VALUE)] } },
    series: [{}, ...lines.map((line) => seriesOf(line, look.selectedId))],
    axes: [
      { ...axis, grid: { show: false }, space: 70, size: 22 },
      {
        ...axis,
        grid,
        size: 58,
        space: 36,
        ...(look.increments === undefined ? {} : { incrs: [...look.increments] }),
        values: (_plot, splits) => splits.map((value) => look.format(value)),
      },
    ],
    hooks: {
      // The pointer came near another line, or moved along the same one.
      setSeries: [
        (plot, index) => {
          near = index === null || index < 1 ? undefined : index - 1;
          look.onPoint(near, plot.cursor.idx ?? undefined);
        },
      ],
      setCursor: [(plot) => look.onPoint(near, plot.cursor.idx ?? undefined)],
    },
  };
}

function seriesOf({ id, colour, isReplica }: Line, selectedId: string | undefined): uPlot.Series {
  const isSelected = id === selectedId;
  const isAside = selectedId !== undefined && !isSelected;
  return {
    stroke: colour,
    width: isSelected ? 2.5 : isReplica ? 1 : 1.5,
    alpha: isAside ? 0.35 : 1,
    ...(isReplica ? { dash: [4, 3] } : {}),
    points: { show: false },
    spanGaps: false,
  };
}
