/**
 * What a line of the directive tables says, and which value a directive of each type holds.
 * The tables themselves are `directives-*.ts`.
 */

/** Upper end of a numeric range, included: a number, or the greatest value of one of C's integer types. */
export type Bound = number | 'int' | 'uint' | 'long' | 'ulong';

/** Extra rule for a string or boolean, beyond its type; the rules are in `checks.ts`. */
export type CheckName =
  'fileName' | 'directoryName' | 'optionalFileName' | 'hostname' | 'titleTemplate' | 'noDefrag';

interface Common {
  /** Older name; CONFIG GET and SET know both, CONFIG REWRITE writes the table's own. */
  readonly alias?: string;
  /** Absent: any time. `immutable`: only at start. `protected`: CONFIG SET needs enable-protected-configs. */
  readonly change?: 'immutable' | 'protected';
  /** Whether CONFIG GET shows it only when asked for it by its whole name. */
  readonly isHidden?: true;
  /** Whether logs must not show the value. */
  readonly isSensitive?: true;
  readonly check?: CheckName;
}

export interface BoolSpec extends Common {
  readonly type: 'bool';
  readonly default: boolean;
}

export interface NumberSpec extends Common {
  /** `memory` takes units and holds bytes, `octal` is written in octal digits. */
  readonly type: 'int' | 'memory' | 'octal';
  readonly default: number;
  readonly min: number;
  readonly max: Bound;
  /** Ends, both included, to which an accepted value is silently moved. */
  readonly clamp?: readonly [number, number];
}

export interface StringSpec extends Common {
  readonly type: 'string';
  readonly default: string;
  /** Whether an empty value is a value; else it means "not set" and CONFIG REWRITE drops the line. */
  readonly keepsEmpty?: true;
}

export interface EnumSpec extends Common {
  readonly type: 'enum';
  readonly default: string;
  readonly values: readonly string[];
  /** Accepted words that read back as another one. */
  readonly synonyms?: { readonly [word: string]: string };
}

export interface WordsSpec extends Common {
  readonly type: 'words';
  readonly default: readonly string[];
  readonly maxCount: number;
  readonly tooMany: string;
}

/** Types with one or two directives each. */
export interface SpecialSpec<T extends keyof SpecialValues> extends Common {
  readonly type: T;
  readonly default: SpecialValues[T];
}

export type AnySpecialSpec = { [T in keyof SpecialValues]: SpecialSpec<T> }[keyof SpecialValues];

export type DirectiveSpec =
  BoolSpec | NumberSpec | StringSpec | EnumSpec | WordsSpec | AnySpecialSpec;

export interface OutputLimit {
  /** A client with more waiting for it is closed at once; 0 is no limit. */
  readonly hardBytes: number;
  /** A client above this for `softSeconds` on end is closed; 0 is no limit. */
  readonly softBytes: number;
  readonly softSeconds: number;
}

export interface OutputLimits {
  readonly normal: OutputLimit;
  readonly replica: OutputLimit;
  readonly pubsub: OutputLimit;
}

export interface SavePoint {
  readonly seconds: number;
  readonly changes: number;
}

export interface MasterAddress {
  readonly host: string;
  readonly port: number;
}

export interface MemoryOrPercent {
  readonly unit: 'bytes' | 'percent';
  readonly amount: number;
}

export type ShutdownFlag = 'save' | 'nosave' | 'now' | 'force';

/** The value types of the special directives. */
export interface SpecialValues {
  /** maxmemory-clients; a percentage is of maxmemory. */
  readonly memoryOrPercent: MemoryOrPercent;
  readonly savePoints: readonly SavePoint[];
  readonly outputLimits: OutputLimits;
  /** Sum of `KEYSPACE_EVENT` bits. */
  readonly keyspaceEvents: number;
  readonly oomScores: readonly [number, number, number];
  readonly percentiles: readonly number[];
  /** Undefined on a master. */
  readonly masterAddress: MasterAddress | undefined;
  /** In the order of `SHUTDOWN_FLAGS`; empty is the default behaviour. */
  readonly shutdownFlags: readonly ShutdownFlag[];
}

/** The value that a directive with specification `S` holds. */
export type ValueOf<S> = S extends { readonly type: infer T }
  ? T extends 'bool'
    ? boolean
    : T extends 'int' | 'memory' | 'octal'
      ? number
      : T extends 'string'
        ? string
        : T extends 'enum'
          ? S extends { readonly values: readonly (infer V)[] }
            ? V
            : never
          : T extends 'words'
            ? readonly string[]
            : T extends keyof SpecialValues
              ? SpecialValues[T]
              : never
  : never;

export type DirectiveValue = ValueOf<DirectiveSpec>;

/** Greatest values of C's integer types, for range checks and error texts. */
export function boundValue(bound: Bound): bigint {
  switch (bound) {
    case 'int':
      return 2147483647n;
    case 'uint':
      return 4294967295n;
    case 'long':
      return 9223372036854775807n;
    case 'ulong':
      return 18446744073709551615n;
    default:
      return BigInt(bound);
  }
}

/** Bits of notify-keyspace-events, by the letter that turns each on. */
export const KEYSPACE_EVENT: {
  readonly K: number;
  readonly E: number;
  readonly g: number;
  readonly $: number;
  readonly l: number;
  readonly s: number;
  readonly h: number;
  readonly z: number;
  readonly x: number;
  readonly e: number;
  readonly t: number;
  readonly m: number;
  readonly d: number;
  readonly n: number;
} = {
  K: 1,
  E: 2,
  g: 4,
  $: 8,
  l: 16,
  s: 32,
  h: 64,
  z: 128,
  x: 256,
  e: 512,
  t: 1024,
  m: 2048,
  d: 4096,
  n: 8192,
};

/** Flags of shutdown-on-sigint and shutdown-on-sigterm, in the order in which Redis lists them. */
export const SHUTDOWN_FLAGS: readonly ShutdownFlag[] = ['save', 'nosave', 'now', 'force'];
