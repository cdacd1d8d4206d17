/** Which moves may run side by side. */

/** Of one move: the ids of the nodes that give and take. */
export interface MoveEnds {
  readonly from: string;
  readonly to: string;
}

interface Round<T> {
  readonly givers: Set<string>;
  readonly takers: Set<string>;
  readonly jobs: T[];
}

/**
 * Parts moves into rounds, to be run one after the other, in each of which no node both gives and takes. MIGRATE stops the
 * node that gives until the other has answered: two that give to each other wait until their time is up, as do more in a
 * circle, and answer nobody meanwhile.
 */
export function roundsOf<T>(jobs: readonly T[], endsOf: (job: T) => MoveEnds): T[][] {
  const rounds: Round<T>[] = [];
  for (const job of jobs) {
    const { from, to } = endsOf(job);
    let round = rounds.find(({ givers, takers }) => !takers.has(from) && !givers.has(to));
    if (round === undefined) {
      round = { givers: new Set(), takers: new Set(), jobs: [] };
      rounds.push(round);
    }
    round.givers.add(from);
    round.takers.add(to);
    round.jobs.push(job);
  }
  return rounds.map((round) => round.jobs);
}
