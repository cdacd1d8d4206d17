/** What the machine asks its shell to do. The order is a contract: finish one before the next. */
import type { SentinelConf } from '../config/index.ts';
import type { ConnectionId } from './types.ts';

export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning';

export type Effect =
  /** Connect; answer with `opened` or `closed`. */
  | {
      readonly kind: 'open';
      readonly connection: ConnectionId;
      readonly host: string;
      readonly port: number;
    }
  /** Close without answering; a late `closed` of it does no harm. */
  | { readonly kind: 'close'; readonly connection: ConnectionId }
  | { readonly kind: 'send'; readonly connection: ConnectionId; readonly args: readonly string[] }
  /** Bring sentinel.conf to disk before anything else; answer a failure with `saveFailed`. */
  | { readonly kind: 'save'; readonly conf: SentinelConf }
  /** Tell the log `type text`, and unless it is for debugging publish the text on the channel `type`. */
  | {
      readonly kind: 'event';
      readonly level: LogLevel;
      readonly type: string;
      readonly text: string;
    }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly text: string }
  /** Find the address of a host; answer with `resolved`. */
  | { readonly kind: 'resolve'; readonly host: string }
  /** Run a program of the user; answer with `scriptEnded`. */
  | {
      readonly kind: 'runScript';
      readonly id: number;
      readonly path: string;
      readonly args: readonly string[];
    }
  | { readonly kind: 'killScript'; readonly id: number }
  /** Die on the spot, as SENTINEL SIMULATE-FAILURE asked for. */
  | { readonly kind: 'crash' };
