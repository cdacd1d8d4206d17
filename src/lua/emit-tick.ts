/** Where loops give way. */
import { type EmitContext, plainPoint } from './emit-context.ts';

/** A loop begins anew: now and then that is a time to pause. */
export function emitTick(context: EmitContext): void {
  context.hasCalls = true;
  context.writer.point(
    plainPoint(context.node.line),
    (index) => `if (--M.ticks < 0 && R.isTimeToPause()) { pc = ${index}; break X; }`,
  );
}
