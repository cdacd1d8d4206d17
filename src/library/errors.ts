/** What the library throws. */

/**
 * `NOT_RUNNING`, `ALREADY_RUNNING`: the node is in the wrong state. `BAD_OPTION`: an option or argument that cannot be.
 * `START_FAILED`: a node did not start. `TIMEOUT`: what was waited for did not come.
 */
export type LibraryErrorCode =
  'NOT_RUNNING' | 'ALREADY_RUNNING' | 'BAD_OPTION' | 'START_FAILED' | 'TIMEOUT';

export class LibraryError extends Error {
  override readonly name: string = 'LibraryError';
  readonly code: LibraryErrorCode;

  constructor(code: LibraryErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
