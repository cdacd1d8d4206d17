/** Calls as JavaScript. A call's arguments are JavaScript's, and its result is one value or an array, or PAUSED. */
import { type EmitContext, LEAVE, type Operand, text } from './emit-context.ts';
import type { Point } from './prototype.ts';
import { type CallExpression, type Expression, isMultiple, isQuiet } from './syntax.ts';

interface PreparedCall {
  readonly code: string;
  /** The function. */
  readonly f: string;
  readonly point: Point;
}

/** A call whose first result counts, and whose leftmost part is worked out. */
export function emitCall(context: EmitContext, call: CallExpression, first: Operand): Operand {
  const { code, point } = prepareCall(context, call, first);
  const target = context.writer.temporary();
  context.writer.point(
    point,
    (index) =>
      `pc = ${index}; ${target} = ${code}; if (${target} instanceof Array) { ` +
      `if (${target} === P) break X; ${target} = ${target}[0]; }`,
    target,
  );
  if (context.writer.isResuming) {
    context.writer.plain(`if (${target} instanceof Array) ${target} = ${target}[0];`);
  }
  return { code: target, kind: 'any', isStable: true };
}

/** A call as a statement. */
export function emitCallStatement(context: EmitContext, call: CallExpression): void {
  const { code, point } = prepareCall(context, call, context.expression(call.callee));
  context.writer.point(point, (index) => `pc = ${index}; if (${code} === P) break X;`);
}

/**
 * A call whose results are those of the function around it. What a function of Lua pauses there, its caller needs not wait
 * for, which makes tail calls proper; one of ours may still want to know the line.
 */
export function emitTailCall(context: EmitContext, call: CallExpression): void {
  const { writer } = context;
  const { code, point, f } = prepareCall(context, call, context.expression(call.callee));
  const target = writer.temporary();
  const note = context.isDebugged ? 'noteTailCall();' : '';
  writer.point(
    { ...point, isTail: true },
    (index) =>
      `pc = ${index}; ${target} = ${code}; ` +
      `if (${target} === P) { if (${f} instanceof C) { ${note} ${LEAVE} return P; } break X; }`,
    target,
  );
  if (context.isDebugged) emitReturnLine(context, call.endLine, f);
  writer.plain(`${LEAVE} return ${target};`);
}

/** What was called last comes back only if it is none of Lua: then the line of the return begins. */
function emitReturnLine(context: EmitContext, line: number, f: string): void {
  const { writer } = context;
  const piece = writer.capture(() => context.line(line));
  writer.compound(`if (${writer.entry(`!(${f} instanceof C)`, piece)}) { ${piece.code} }`);
}

/** The values of a call or of `...`: the code of an array, or of one value that is none. */
export function emitMultiple(context: EmitContext, expression: Expression): string {
  if (expression.kind !== 'call') {
    context.line(context.lineOf(expression));
    return 'va';
  }
  const { callee } = expression;
  const { code, point } = prepareCall(context, expression, context.expression(callee));
  const target = context.writer.temporary();
  context.writer.point(
    point,
    (index) => `pc = ${index}; if ((${target} = ${code}) === P) break X;`,
    target,
  );
  context.writer.plain(`if (!(${target} instanceof Array)) ${target} = [${target}];`);
  return target;
}

/** Several values at a time, the last of them all that there are. */
export function emitList(
  context: EmitContext,
  expressions: readonly Expression[],
): { readonly operands: Operand[]; readonly rest: string | undefined } {
  const last = expressions.at(-1);
  if (last === undefined || !isMultiple(last)) {
    return { operands: emitOperands(context, expressions), rest: undefined };
  }
  const firsts = expressions.slice(0, -1).map((expression, index) => {
    const operand = context.loaded(expression);
    const isLastBeforeVararg = last.kind === 'vararg' && index === expressions.length - 2;
    return isLastBeforeVararg ? operand : context.stable(operand);
  });
  return { operands: firsts, rest: emitMultiple(context, last) };
}

/** Several expressions, each of which counts once, worked out one after the other. */
export function emitOperands(context: EmitContext, expressions: readonly Expression[]): Operand[] {
  const operands: Operand[] = [];
  let lastLoud = expressions.length - 1;
  while (lastLoud >= 0 && isQuiet(expressions[lastLoud] as Expression)) lastLoud--;
  for (const [index, expression] of expressions.entries()) {
    const operand = context.loaded(expression);
    operands.push(index < lastLoud ? context.stable(operand) : operand);
  }
  return operands;
}

function prepareCall(context: EmitContext, call: CallExpression, first: Operand): PreparedCall {
  const { args, line, method } = call;
  if (method !== undefined) return prepareMethodCall(context, call, first);
  if (call.callee.kind === 'variable') context.line(call.callee.line);
  const callee = args.every((each) => isQuiet(each)) ? first : context.stable(first);
  const list = emitArguments(context, call);
  const what = context.describe(call.callee);
  return {
    f: callee.code,
    code: callCode(context, callee, { what, args: list }),
    point: { line, callee: calleeName(call.callee), isMethod: false, isTail: false },
  };
}

function prepareMethodCall(
  context: EmitContext,
  call: CallExpression,
  first: Operand,
): PreparedCall {
  const { line } = call;
  const name = call.method as string;
  const object = context.stable(first);
  context.line(call.nameLine);
  const f = context.writer.temporary();
  const key = text(name);
  const what = context.describe(call.callee);
  context.writer.point(
    { line, callee: undefined, isMethod: false, isTail: false },
    (index) =>
      `if (!(${object.code} instanceof T) || (${f} = ${object.code}.getString(${key})) === undefined) { ` +
      `pc = ${index}; if ((${f} = R.index(${object.code}, ${key}, ${what})) === P) break X; }`,
    f,
  );
  const list = emitArguments(context, call);
  const all = list === '' ? object.code : `${object.code}, ${list}`;
  return {
    f,
    code: callCode(
      context,
      { code: f, kind: 'any', isStable: true },
      { what: text(`method '${name}'`), args: all },
    ),
    point: { line, callee: name, isMethod: true, isTail: false },
  };
}

function emitArguments(context: EmitContext, { args, line }: CallExpression): string {
  const { operands, rest } = emitList(context, args);
  context.line(line);
  const codes = operands.map(({ code }) => code);
  if (rest !== undefined) codes.push(`...${rest}`);
  return codes.join(', ');
}

function callCode(
  context: EmitContext,
  { code, kind }: Operand,
  call: { readonly what: string; readonly args: string },
): string {
  const { what, args } = call;
  context.hasCalls = true;
  if (code === 'self') return context.writer.isResuming ? `self.call(${args})` : `f(${args})`;
  if (kind === 'function') return `${code}.call(${args})`;
  return `(${code} instanceof F ? ${code}.call(${args}) : R.call(${code}, ${what}, [${args}]))`;
}

/** How `bad argument` calls a function. */
function calleeName(callee: Expression): string | undefined {
  switch (callee.kind) {
    case 'variable':
      return callee.variable.name;
    case 'global':
      return callee.name;
    case 'index':
      return callee.key.kind === 'string' ? callee.key.value : '?';
    case 'paren':
      return calleeName(callee.inner);
    default:
      return undefined;
  }
}
