/** What is on the stack where code for a debugger has stopped. */
import { CompiledFrame } from './prototype.ts';
import { Box } from './runtime.ts';
import { type Frame, type LuaResult, type LuaValue, machine } from './values.ts';

/** A function of Lua text that has begun and not ended. */
export interface StoppedCall {
  /** How its caller calls it; undefined of what no Lua function called by a name, or called last of all. */
  readonly name: string | undefined;
  /** The chunk's name in messages. */
  readonly source: string;
  readonly line: number;
  /** In the order of their declaration. */
  readonly locals: readonly StoppedLocal[];
}

export interface StoppedLocal {
  readonly name: string;
  readonly value: LuaValue;
}

/** Stands for a function whose last call goes on without it. */
class GoneFrame implements Frame {
  readonly isNative = false;
  readonly isGone = true;

  resume(value: LuaResult): LuaResult {
    return value;
  }

  fail(error: unknown): LuaResult {
    throw error;
  }
}

const GONE: Frame = new GoneFrame();

/** A function leaves the stack for good below one that it called last: nobody may take its caller's words for that one's name. */
export function noteTailCall(): void {
  machine.captured.push(GONE);
}

/** What compiled code does when it is to stop; answers true. */
export function prepareStop(): boolean {
  machine.reason = 'tick';
  machine.stopped = [];
  return true;
}

/** The calls of the coroutine that has stopped, the innermost first. To be asked once after each stop, before anything else runs. */
export function stoppedCalls(): StoppedCall[] {
  const frames: Frame[] = [];
  for (const stack of machine.stopped ?? []) {
    frames.push(...stack.frames);
    if (stack.isCoroutine) break;
  }
  machine.stopped = undefined;
  const found: StoppedCall[] = [];
  for (const [index, frame] of frames.entries()) {
    if (!(frame instanceof CompiledFrame)) continue;
    const caller = frames[index + 1];
    const name = caller instanceof CompiledFrame ? caller.at.callee : undefined;
    found.push({ name, source: frame.source, line: frame.at.line, locals: localsOf(frame) });
  }
  return found;
}

function localsOf(frame: CompiledFrame): StoppedLocal[] {
  return (frame.at.locals ?? []).map(({ name, place }) => {
    const kept = place === undefined ? undefined : frame.kept(place);
    // A frame keeps values and boxes of values in the places of variables.
    return { name, value: kept instanceof Box ? kept.v : (kept as LuaValue) };
  });
}
