/** What a mark on the target says. */

/** A place in the source's stream, between two commands. */
export interface StreamPosition {
  readonly offset: number;
  /** Database of the source that is selected there. */
  readonly db: number;
  readonly replid: string;
  /** Whether what a new copy needs at its end was done. */
  readonly isSettled: boolean;
}

export function formatMark({ offset, db, replid, isSettled }: StreamPosition): string {
  return `${offset} ${db} ${replid} ${isSettled ? 'settled' : 'copying'}`;
}

/** Undefined for anything else. */
export function parseMark(text: string): StreamPosition | undefined {
  const match = /^(\d{1,16}) (\d{1,9}) ([0-9a-f]{40}) (settled|copying)$/.exec(text);
  if (match === null) return undefined;
  return {
    offset: Number(match[1]),
    db: Number(match[2]),
    replid: match[3] ?? '',
    isSettled: match[4] === 'settled',
  };
}
