/** What CLIENT TRACKING ON asked for. */
export interface Tracking {
  readonly mode: 'default' | 'optin' | 'optout' | 'broadcast';
  /** Client that gets the messages; 0 is the client itself. */
  readonly redirectId: number;
  readonly isNoLoop: boolean;
  readonly prefixes: readonly string[];
  /** CLIENT CACHING for the next command: remember its keys or not, against the mode. */
  caching: 'yes' | 'no' | undefined;
  /** The client that gets the messages is gone. */
  isRedirectBroken: boolean;
}
