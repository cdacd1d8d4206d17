/** Events of the world, each in a turn of the node's own. */
import type { Network, WireEvents } from './ports.ts';

export interface Turns {
  /** Reads the clocks and does what is due. Turns nest; the outermost counts. */
  beginTurn(): void;
  /** Sends what was written and sets the alarm. */
  endTurn(): void;
}

/** The same network; what happens on its connections happens in turns. */
export function networkInTurns(turns: Turns, network: Network): Network {
  return { connect: (target, events) => network.connect(target, eventsInTurns(turns, events)) };
}

export function eventsInTurns(turns: Turns, events: WireEvents): WireEvents {
  const turn = (act: () => void): void => {
    turns.beginTurn();
    act();
    turns.endTurn();
  };
  return {
    opened: () => turn(() => events.opened?.()),
    data: (buf, size) => turn(() => events.data(buf, size)),
    drained: () => turn(() => events.drained?.()),
    closed: (reason) => turn(() => events.closed(reason)),
  };
}
