/**
 * Failures of the world as the tools' connections meet them. An error reply of the server is not one of these: it is
 * a `ReplyError` with the server's own text.
 */

export type ClientErrorCode =
  /** The text is not an address. */
  | 'BAD_ADDRESS'
  /** No connection was made; nothing was sent. */
  | 'CONNECT_FAILED'
  /** The server refused user name, password or database; nothing was sent. */
  | 'REFUSED'
  /** No reply in time; the command may have been carried out. */
  | 'TIMEOUT'
  /** The connection ended before the reply; the command may have been carried out. */
  | 'CLOSED'
  /** The bytes of the server are not RESP. */
  | 'PROTOCOL'
  /** No seed of a cluster answered with a slot map. */
  | 'NO_NODE'
  /** Redirections and retries reached their bound. */
  | 'TOO_MANY_TRIES';

export class ClientError extends Error {
  override readonly name: string = 'ClientError';
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
