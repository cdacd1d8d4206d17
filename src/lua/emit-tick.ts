/** Where loops give way. */
import { type EmitContext, plainPoint } from './emit-context.ts';

/** The loop of a line begins anew: now and then that is a time to pause. */
export function emitTick(context: EmitContext, line: number): void {
  context.hasCalls = true;
  context.writer.point(
    plainPoint(line),
    (index) => `if (--M.ticks < 0 && R.isTimeToPause()) { pc = ${index}; break X; }`,
  );
}
