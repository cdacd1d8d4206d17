/** What a migration shows: a line of progress now and then, and a summary. */
import { type Screen, tableLines } from '../screen.ts';
import type { Notice } from '../run-notice.ts';
import type { Quarantine } from './quarantine.ts';
import type { RunStatus } from './run-status.ts';

/** Shows progress with rates since the last time. */
export class ProgressMeter {
  readonly #screen: Screen;
  #lastMs: number = performance.now();
  #last: Totals = { keys: 0, commands: 0, bytes: 0 };
  readonly #phases: Map<string, string> = new Map();

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Tells which masters are in another phase than before. */
  showPhases(statuses: readonly RunStatus[]): void {
    for (const { source, phase } of statuses) {
      if (this.#phases.get(source) === phase) continue;
      this.#phases.set(source, phase);
      this.#screen.event({ event: 'phase', source, phase });
    }
  }

  show(statuses: readonly RunStatus[]): void {
    const nowMs = performance.now();
    const seconds = Math.max(0.001, (nowMs - this.#lastMs) / 1000);
    const totals = totalsOf(statuses);
    const rate = (key: keyof Totals): number =>
      Math.max(0, Math.round((totals[key] - this.#last[key]) / seconds));
    for (const status of statuses)
      this.#screen.event({ event: 'progress', ...status, ...partOf(status) });
    const lagMs = Math.max(0, ...statuses.map((status) => status.lagMs));
    const lagBytes = statuses.reduce((sum, status) => sum + status.lagBytes, 0);
    this.#screen.note(
      [
        phasesText(statuses),
        `${totals.keys} keys (${rate('keys')}/s)`,
        `${totals.commands} commands (${rate('commands')}/s)`,
        `${megabytes(totals.bytes)} (${megabytes(rate('bytes'))}/s)`,
        `lag ${megabytes(lagBytes)}, ${(lagMs / 1000).toFixed(1)} s`,
      ].join(', '),
    );
    this.#lastMs = nowMs;
    this.#last = totals;
  }
}

/** For watchers: the progress of the snapshots, as long as there are some. */
export function noticeOf(
  names: { readonly source: string; readonly target: string },
  statuses: readonly RunStatus[],
): Omit<Notice, 'pid' | 'word'> {
  const { keys, commands } = totalsOf(statuses);
  const size = statuses.reduce((total, { snapshotSize = 0 }) => total + snapshotSize, 0);
  const isCopying = statuses.some(({ phase }) => phase === 'snapshot') && size > 0;
  const lag = megabytes(sum(statuses, 'lagBytes'));
  return {
    nodes: [names.source, names.target]
      .flatMap((text) => text.split(','))
      .concat(statuses.flatMap(({ source, follows }) => [source, follows])),
    text: `migration of ${names.source} to ${names.target}: ${phasesText(statuses)}, ${keys} keys, ${commands} commands, ${lag} behind`,
    progress: isCopying ? Math.min(1, sum(statuses, 'snapshotBytes') / size) : undefined,
  };
}

/** Shows how it ended. */
export function showSummary(
  end: {
    readonly statuses: readonly RunStatus[];
    readonly quarantine: Quarantine;
    readonly isWhole: boolean;
  },
  screen: Screen,
): void {
  const { statuses, quarantine, isWhole } = end;
  const { keys, commands, bytes } = totalsOf(statuses);
  const skipped = sum(statuses, 'skippedKeys');
  const broken = sum(statuses, 'brokenTransactions');
  const reasons = Object.fromEntries(quarantine.byReason);
  screen.event({
    event: 'summary',
    whole: isWhole,
    keys,
    commands,
    bytes,
    skippedKeys: skipped,
    brokenTransactions: broken,
    droppedFields: sum(statuses, 'droppedFields'),
    quarantined: quarantine.count,
    ...(quarantine.count === 0 ? {} : { quarantineFile: quarantine.path, reasons }),
    sources: statuses,
  });
  const header = ['source', 'phase', 'keys', 'commands', 'offset', 'lag bytes'];
  const rows = statuses.map((status) => [
    status.source,
    status.phase,
    String(status.keys),
    String(status.commands),
    String(status.appliedOffset),
    String(status.lagBytes),
  ]);
  for (const line of tableLines(header, rows, [2, 3, 4, 5])) screen.out(line);
  if (skipped > 0) screen.out(`${skipped} keys were on the target already and left alone`);
  const leftOut = sum(statuses, 'leftOutKeys');
  if (leftOut > 0) screen.out(`${leftOut} keys are in databases that are not copied`);
  const dropped = sum(statuses, 'droppedFields');
  if (dropped > 0) screen.out(`${dropped} fields of hashes were to expire, and stay for good`);
  if (broken > 0)
    screen.out(
      `${broken} transactions had keys in several slots and were carried out command by command`,
    );
  if (quarantine.count > 0) {
    screen.out(
      `${screen.paint('red', 'QUARANTINE')} ${quarantine.count} commands could not be carried out, see ${quarantine.path}`,
    );
    for (const [reason, count] of quarantine.byReason) screen.out(`   ${count} × ${reason}`);
  }
  const verdict = isWhole
    ? `${screen.paint('green', 'OK')} the target has all that was received`
    : `${screen.paint('red', 'NOT WHOLE')} ended before the target was a copy`;
  screen.out(verdict);
}

interface Totals {
  readonly keys: number;
  readonly commands: number;
  readonly bytes: number;
}

function totalsOf(statuses: readonly RunStatus[]): Totals {
  return {
    keys: sum(statuses, 'keys'),
    commands: sum(statuses, 'commands'),
    bytes: sum(statuses, 'snapshotBytes') + sum(statuses, 'streamBytes'),
  };
}

function sum(
  statuses: readonly RunStatus[],
  field: {
    [K in keyof RunStatus]: RunStatus[K] extends number ? K : never;
  }[keyof RunStatus],
): number {
  return statuses.reduce((total, status) => total + status[field], 0);
}

/** How much of the snapshot came, where its size is known. */
function partOf({ snapshotBytes, snapshotSize }: RunStatus): { readonly percent?: number } {
  if (snapshotSize === undefined || snapshotSize === 0) return {};
  return { percent: Math.floor((100 * snapshotBytes) / snapshotSize) };
}

/** Such as `2 snapshot 40 %, 1 following`. */
function phasesText(statuses: readonly RunStatus[]): string {
  const phases = new Map<string, RunStatus[]>();
  for (const status of statuses) {
    phases.set(status.phase, [...(phases.get(status.phase) ?? []), status]);
  }
  const texts = [...phases].map(([phase, those]) => {
    const count = statuses.length === 1 ? '' : `${those.length} `;
    if (phase !== 'snapshot') return `${count}${phase}`;
    const sizes = those.map(({ snapshotSize }) => snapshotSize);
    const size = sizes.reduce<number>((total, each) => total + (each ?? 0), 0);
    const isKnown = size > 0 && !sizes.includes(undefined);
    const percent = Math.floor((100 * sum(those, 'snapshotBytes')) / size);
    return isKnown ? `${count}${phase} ${percent} %` : `${count}${phase}`;
  });
  return texts.join(', ');
}

/** Such as `1.5 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / (1024 * 1024)).toFixed(1)} MB`;
}
