/** What `slotline up` was asked for, validated, and what an existing data folder says instead. */
import { isIP } from 'node:net';
import { ToolError } from '../errors.ts';

/** As the user gave them; undefined is not said. */
export interface UpRequest {
  /** At least 3. Default 3. */
  readonly masters: number | undefined;
  /** Of each master, from 0. Default 1. */
  readonly replicas: number | undefined;
  /** Client port of the first node; the others follow. Default 7000. */
  readonly port: number | undefined;
  /** IP address to listen on. Default 127.0.0.1. */
  readonly bind: string | undefined;
  /** `cluster-node-timeout`, milliseconds. Default 5000. */
  readonly nodeTimeoutMs: number | undefined;
}

/** What a cluster on this machine looks like; kept in its data folder. */
export interface UpShape {
  readonly masters: number;
  readonly replicas: number;
  readonly port: number;
  readonly bind: string;
  readonly nodeTimeoutMs: number;
}

export const UP_DEFAULTS: UpShape = {
  masters: 3,
  replicas: 1,
  port: 7000,
  bind: '127.0.0.1',
  nodeTimeoutMs: 5000,
};

/** Distance from the client port to the bus port. Source: Redis Cluster specification. */
export const BUS_PORT_OFFSET = 10_000;
const PORT_MAX = 65535;
/** A process for each node: more than this is no use on one machine. */
const NODES_MAX = 100;
const NODE_TIMEOUT_MS_MIN = 100;
const NODE_TIMEOUT_MS_MAX = 3_600_000;

/**
 * The shape of the cluster: what was said, else what `existing` has, else the defaults. Throws ToolError `USAGE` for
 * values out of range, and for values that an existing cluster cannot take on.
 */
export function resolveShape(request: UpRequest, existing?: UpShape): UpShape {
  const base = existing ?? UP_DEFAULTS;
  const shape: UpShape = {
    masters: request.masters ?? base.masters,
    replicas: request.replicas ?? base.replicas,
    port: request.port ?? base.port,
    bind: request.bind ?? base.bind,
    nodeTimeoutMs: request.nodeTimeoutMs ?? base.nodeTimeoutMs,
  };
  checkRange('--masters', shape.masters, { least: 3, most: NODES_MAX });
  checkRange('--replicas', shape.replicas, { least: 0, most: NODES_MAX });
  checkRange('--port', shape.port, { least: 1, most: PORT_MAX - BUS_PORT_OFFSET });
  checkRange('--node-timeout', shape.nodeTimeoutMs, {
    least: NODE_TIMEOUT_MS_MIN,
    most: NODE_TIMEOUT_MS_MAX,
  });
  const count = nodeCount(shape);
  if (count > NODES_MAX) {
    throw usage(`${count} nodes are more than ${NODES_MAX}: lower --masters or --replicas`);
  }
  const last = shape.port + count - 1;
  if (last + BUS_PORT_OFFSET > PORT_MAX) {
    throw usage(
      `--port ${shape.port} is too high for ${count} nodes: bus ports would reach ${last + BUS_PORT_OFFSET}, take ${PORT_MAX - BUS_PORT_OFFSET - count + 1} or lower`,
    );
  }
  checkBind(shape.bind);
  if (existing !== undefined) checkUnchanged(shape, existing);
  return shape;
}

export function nodeCount({ masters, replicas }: UpShape): number {
  return masters * (replicas + 1);
}

/** Client ports of all nodes. */
export function nodePorts(shape: UpShape): number[] {
  return Array.from({ length: nodeCount(shape) }, (_, index) => shape.port + index);
}

export function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}

function checkRange(flag: string, value: number, range: { least: number; most: number }): void {
  if (Number.isSafeInteger(value) && value >= range.least && value <= range.most) return;
  throw usage(`${flag} has to be a whole number from ${range.least} to ${range.most}`);
}

function checkBind(bind: string): void {
  if (isIP(bind) === 0) throw usage(`--bind "${bind}" has to be an IP address of this machine`);
  if (bind === '0.0.0.0' || bind === '::') {
    throw usage(
      `--bind ${bind} is no address that clients can use: name one address of this machine`,
    );
  }
}

function checkUnchanged(shape: UpShape, existing: UpShape): void {
  for (const field of ['masters', 'replicas', 'port'] as const) {
    if (shape[field] === existing[field]) continue;
    throw usage(
      `the data folder holds a cluster with --${field} ${existing[field]}: leave out --${field}, or take another --dir`,
    );
  }
}

function usage(reason: string): ToolError {
  return new ToolError('USAGE', `Cannot start: ${reason}`);
}
