/** The `redis` table that scripts find. Source: behaviour of redis-server 7.0.15. */
import type { LogLevel } from '../../commands/index.ts';
import {
  LuaError,
  LuaTable,
  type LuaResult,
  type LuaValue,
  NONE,
  NativeFunction,
  numberText,
  textNumber,
} from '../../lua/index.ts';
import { FEED_ALL, FEED_AOF, FEED_REPLICAS } from '../propagation.ts';
import { plainError, withoutCode } from './script-errors.ts';
import { sha1Hex } from './script-cache.ts';
import type { ScriptRunner } from './script-runner.ts';

const LOG_LEVELS: readonly LogLevel[] = ['debug', 'verbose', 'notice', 'warning'];
/** Source: 7.0.15, the one that this server says it is. */
const VERSION = '7.0.15';
const VERSION_NUMBER = 0x070000 + 15;

export interface RedisLibraryHost {
  readonly runner: ScriptRunner;
  log(level: LogLevel, text: string): void;
}

/**
 * Makes the table `redis` of an engine, with what scripts and functions have in common; the caller puts it into the globals,
 * and may add to it before.
 */
export function createRedisLibrary(host: RedisLibraryHost): LuaTable {
  const { runner } = host;
  const table = new LuaTable();
  const add = (name: string, call: (...args: LuaValue[]) => LuaResult): void =>
    table.setString(name, new NativeFunction(name, call));
  const addTold = (name: string, call: (...args: LuaValue[]) => LuaResult): void =>
    add(name, (...args) => toldErrors(runner, () => call(...args)));
  add('call', (...args) => runner.call(args, false));
  add('pcall', (...args) => runner.call(args, true));
  addTold('log', (...args) => log(host, args));
  addTold('sha1hex', (...args) => {
    if (args.length !== 1) throw raised('ERR wrong number of arguments');
    const [value] = args;
    return sha1Hex(textOf(value) ?? '');
  });
  add('error_reply', (...args) =>
    isOneText(args) ? errorReply(runner, args[0]) : wrongArguments(runner),
  );
  add('status_reply', (...args) =>
    isOneText(args) ? new LuaTable().adoptFields(['ok'], [args[0]]) : wrongArguments(runner),
  );
  addTold('setresp', (...args) => setResp(runner, args));
  addTold('set_repl', (...args) => setReplication(runner, args));
  // Effects are what goes on in any case.
  add('replicate_commands', () => true);
  add('breakpoint', () => {
    runner.debug?.console.breakpointCalled();
    return runner.debug !== undefined;
  });
  add('debug', (...args) => {
    runner.debug?.console.debugCalled(args);
    return NONE;
  });
  addTold('acl_check_cmd', (...args) => {
    const isAllowed = runner.mayCall(args);
    if (isAllowed !== undefined) return isAllowed;
    throw raised('ERR Invalid command passed to redis.acl_check_cmd()');
  });
  LOG_LEVELS.forEach((level, at) => table.setString(`LOG_${level.toUpperCase()}`, at));
  table.setString('REPL_NONE', 0);
  table.setString('REPL_AOF', FEED_AOF);
  table.setString('REPL_SLAVE', FEED_REPLICAS);
  table.setString('REPL_REPLICA', FEED_REPLICAS);
  table.setString('REPL_ALL', FEED_ALL);
  table.setString('REDIS_VERSION', VERSION);
  table.setString('REDIS_VERSION_NUM', VERSION_NUMBER);
  return table;
}

/** An error with a text that is whole as it is: its position comes behind it. */
function raised(text: string): LuaError {
  return new LuaError(plainError(text));
}

function isOneText(args: readonly LuaValue[]): args is readonly [string] {
  return args.length === 1 && typeof args[0] === 'string';
}

function wrongArguments(runner: ScriptRunner): LuaTable {
  const error = 'ERR wrong number or type of arguments';
  runner.debug?.listener?.tellError(withoutCode(error));
  return plainError(error);
}

/** Runs a function of the library; a debugger is told the errors that it raises. */
function toldErrors(runner: ScriptRunner, call: () => LuaResult): LuaResult {
  try {
    return call();
  } catch (error) {
    const table = error instanceof LuaError ? error.value : undefined;
    const text = table instanceof LuaTable ? table.getString('err') : undefined;
    if (typeof text === 'string') runner.debug?.listener?.tellError(withoutCode(text));
    throw error;
  }
}

/** A text without a code, one word, gets the usual one. */
function errorReply(runner: ScriptRunner, text: string): LuaTable {
  const bare = text.startsWith('-') ? text.slice(1) : text;
  runner.debug?.listener?.tellError(`-${bare}`);
  return plainError(bare.includes(' ') ? bare : `ERR ${bare}`);
}

/** A value as C's side of Lua takes it for a text; undefined when it does not. */
function textOf(value: LuaValue): string | undefined {
  if (typeof value === 'number') return numberText(value);
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: LuaValue): number | undefined {
  if (typeof value === 'string') return textNumber(value);
  return typeof value === 'number' ? value : undefined;
}

function log(host: RedisLibraryHost, args: readonly LuaValue[]): LuaResult {
  if (args.length < 2) throw raised('ERR redis.log() requires two arguments or more.');
  const level = numberOf(args[0]);
  if (level === undefined) throw raised('ERR First argument must be a number (log level).');
  const name = LOG_LEVELS[Math.trunc(level)];
  if (name === undefined) throw raised('ERR Invalid debug level.');
  const words = args.slice(1).map(textOf);
  host.log(name, words.filter((word) => word !== undefined).join(' '));
  return NONE;
}

function setResp(runner: ScriptRunner, args: readonly LuaValue[]): LuaResult {
  if (args.length !== 1) throw raised('ERR redis.setresp() requires one argument.');
  const version = Math.trunc(numberOf(args[0]) ?? 0);
  if (version !== 2 && version !== 3) throw raised('ERR RESP version must be 2 or 3.');
  runner.session.reply.resp = version;
  return NONE;
}

function setReplication(runner: ScriptRunner, args: readonly LuaValue[]): LuaResult {
  if (args.length !== 1) throw raised('ERR redis.set_repl() requires two arguments.');
  const targets = Math.trunc(numberOf(args[0]) ?? 0);
  if ((targets & ~FEED_ALL) !== 0) {
    throw raised(
      'ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.',
    );
  }
  runner.replicateTo(targets);
  return NONE;
}
