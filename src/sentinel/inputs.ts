/** Everything that can happen to the machine. Operators' commands come in through `admin` and `vote`. */
import type { Reply } from '../resp/index.ts';
import type { ConnectionId } from './types.ts';

export type Input =
  | { readonly kind: 'tick' }
  /** `localIp`: our end. */
  | { readonly kind: 'opened'; readonly connection: ConnectionId; readonly localIp: string }
  /** It was refused or is gone. */
  | { readonly kind: 'closed'; readonly connection: ConnectionId }
  /** Its bytes are copied, the buffer may be reused at once. */
  | { readonly kind: 'reply'; readonly connection: ConnectionId; readonly reply: Reply }
  /** A client of ours published on the hello channel. */
  | { readonly kind: 'hello'; readonly message: string }
  /** `ip`: undefined when there is none. */
  | { readonly kind: 'resolved'; readonly host: string; readonly ip: string | undefined }
  /** `exitCode`: undefined when it ended by a signal or could not be started. */
  | { readonly kind: 'scriptEnded'; readonly id: number; readonly exitCode: number | undefined }
  | { readonly kind: 'saveFailed' };
