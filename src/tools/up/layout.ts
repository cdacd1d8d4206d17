/**
 * The data folder as text: one folder for each node with a redis.conf, and a file that says what the cluster looks like.
 * Lines that users add to a redis.conf stay; only the directives listed here are kept in step.
 */
import { quoteArgument, splitArguments } from '../../base/index.ts';
import { ToolError } from '../errors.ts';
import { type UpShape, isLoopback } from './options.ts';

/** Name of the file in the data folder that holds an `UpRecord`. */
export const RECORD_FILE = 'cluster.json';
export const PID_FILE = 'slotline.pid';
export const CONFIG_FILE = 'redis.conf';
export const NODES_FILE = 'nodes.conf';
/** Standard output and error of the node. */
export const LOG_FILE = 'node.log';

export interface UpRecord {
  readonly shape: UpShape;
  /** False until the nodes were joined: a start that was interrupted before is begun afresh. */
  readonly isCreated: boolean;
}

export function formatRecord(record: UpRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

/** Reads a record. Throws ToolError `LOCAL` when the text is damaged; `path` is for its message. */
export function parseRecord(text: string, path: string): UpRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(path, error);
  }
  if (!isRecord(value)) throw damaged(path);
  return value;
}

export interface NodeFolder {
  readonly port: number;
  /** Absolute path of the node's folder. */
  readonly dir: string;
  readonly shape: UpShape;
  /** Only for addresses that others can reach. */
  readonly password: string | undefined;
}

/** The redis.conf of a new node, or `existing` with our directives brought up to date. */
export function nodeConfig(folder: NodeFolder, existing: string | undefined): string {
  const directives = managedDirectives(folder);
  if (existing === undefined) {
    const lines = directives.map(([name, value]) => `${name} ${value}`);
    return `${HEADER}\n${lines.join('\n')}\n`;
  }
  let text = existing;
  for (const [name, value] of directives) text = withDirective(text, name, value);
  return text;
}

/** The value of a directive in a redis.conf, its first argument; the last line counts. */
export function directiveOf(text: string, name: string): string | undefined {
  const found = [...text.matchAll(directivePattern(name))].at(-1)?.[1];
  const [value] = found === undefined ? [] : (splitArguments(toBytes(found)) ?? []);
  return value === undefined ? undefined : Buffer.from(value, 'latin1').toString();
}

/** A value as redis.conf takes it. */
function quoted(value: string): string {
  return quoteArgument(toBytes(value));
}

/** Text as `config/` has it, one byte a character. */
function toBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

const HEADER = `# A node of the cluster that "slotline up" keeps in this folder. Your own directives go below; those that
# follow here are brought up to date at each start.`;

function managedDirectives({ port, dir, shape, password }: NodeFolder): [string, string][] {
  const directives: [string, string][] = [
    ['port', String(port)],
    ['bind', shape.bind],
    ['dir', quoted(dir)],
    ['cluster-enabled', 'yes'],
    ['cluster-config-file', NODES_FILE],
    ['cluster-node-timeout', String(shape.nodeTimeoutMs)],
    // The default of 5 s leaves replicas without data, and so without a vote to win, for that long.
    ['repl-diskless-sync-delay', '0'],
  ];
  if (password !== undefined && !isLoopback(shape.bind)) {
    directives.push(['requirepass', quoted(password)], ['masterauth', quoted(password)]);
  }
  return directives;
}

function withDirective(text: string, name: string, value: string): string {
  const line = `${name} ${value}`;
  const pattern = directivePattern(name);
  if (pattern.test(text)) return text.replace(directivePattern(name), () => line);
  return `${text.replace(/\n*$/, '\n')}${line}\n`;
}

function directivePattern(name: string): RegExp {
  return new RegExp(`^[ \\t]*${name}[ \\t]+(.*)$`, 'gim');
}

function isRecord(value: unknown): value is UpRecord {
  if (typeof value !== 'object' || value === null) return false;
  if (!('isCreated' in value) || typeof value.isCreated !== 'boolean') return false;
  if (!('shape' in value) || typeof value.shape !== 'object' || value.shape === null) return false;
  const shape = value.shape as Readonly<Record<string, unknown>>;
  const numbers = ['masters', 'replicas', 'port', 'nodeTimeoutMs'];
  return (
    typeof shape['bind'] === 'string' && numbers.every((name) => Number.isInteger(shape[name]))
  );
}

function damaged(path: string, cause?: unknown): ToolError {
  const message = `Cannot read "${path}": not what slotline up wrote, mend it or take another --dir`;
  return new ToolError('LOCAL', message, cause);
}
