/** Assertions about our own code. Nobody catches them: the process ends, production included. */

export class InvariantError extends Error {
  override readonly name: string = 'InvariantError';
}

/** Ends the process's work when `condition` is false: our own bug, never a client's or a peer's mistake. */
export function invariant(condition: boolean, statement: string): asserts condition {
  if (!condition) throw new InvariantError(`invariant broken: ${statement}`);
}

/** Marks the end of an exhaustive `switch`. */
export function assertNever(value: never): never {
  throw new InvariantError(`unexpected value: ${JSON.stringify(value)}`);
}
