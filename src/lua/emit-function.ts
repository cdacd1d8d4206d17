/** A whole function as JavaScript, in either form. See CodeWriter for what the forms are. */
import { EmitContext, type Emitters, LEAVE, type Operand, isBoxed } from './emit-context.ts';
import { emitExpression } from './emit-expression.ts';
import { emitBlock, emitStatements } from './emit-statement.ts';
import type { Point } from './prototype.ts';
import type { FunctionNode, LoadLines } from './syntax.ts';

export interface EmittedFunction {
  readonly code: string;
  readonly points: readonly Point[];
  /** Names of all that a function keeps while it is not on the stack. */
  readonly state: readonly string[];
}

/** What is the same for all functions of a text. */
export interface EmitOptions {
  readonly numbers: ReadonlyMap<FunctionNode, number>;
  /** Undefined for code without stops. */
  readonly loadLines: LoadLines | undefined;
}

const EMITTERS: Emitters = { expression: emitExpression, block: emitBlock };

/** What a call takes of the stack besides its variables, by estimate and on the safe side. */
const CALL_STACK_BYTES = 320;
const VARIABLE_BYTES = 8;

interface Parts {
  readonly context: EmitContext;
  readonly body: string;
  /** All that a function must keep while it is not on the stack. */
  readonly state: readonly string[];
  readonly locals: readonly string[];
  readonly stackBytes: number;
}

/** A factory: it is given the upvalues and makes a function object. */
export function emitFactory(node: FunctionNode, options: EmitOptions): EmittedFunction {
  const { context, body, state, locals, stackBytes } = emitParts(node, options, false);
  const number = options.numbers.get(node);
  const parameters = node.parameters.map(({ slot }) => `v${slot}`);
  if (node.isVararg) parameters.push('...va');
  const list = parameters.join(', ');
  const counts = context.hasCalls
    ? `if ((M.depth += ${stackBytes}) > D || (--M.ticks < 0 && R.isTimeToPause())) return enter(self, [${list}], ${stackBytes});`
    : '';
  const isPlain = context.writer.points.length === 1;
  const declared = ['pc = 0', ...locals.slice(node.parameters.length)].join(', ');
  const inner = isPlain
    ? body
    : `try { X: { ${body} } } catch (e) { throw p${number}.failure(e, pc); }
${LEAVE} return p${number}.pause(pc, [${state.join(', ')}]);`;
  const upvalues = node.upvalues
    .map((variable) => context.place(variable))
    .filter((place) => place !== 'self');
  const code = `${context.constants.join('\n')}
const F${number} = (${upvalues.join(', ')}) => { const self = new C('', function f(${list}) {
${counts} let ${declared};
${inner}
}); return self; };`;
  return { code: withLeave(code, context, stackBytes), points: context.writer.points, state };
}

/** The body of a Resumer. */
export function emitResumer(node: FunctionNode, options: EmitOptions): string {
  const { context, body, state, stackBytes } = emitParts(node, options, true);
  const number = options.numbers.get(node);
  const restored = ['pc = re', ...state.map((name, index) => `${name} = s[${index}]`)].join(', ');
  const code = `${context.constants.join('\n')}
return (s, re, rv) => { let ${restored};
M.depth += ${stackBytes};
try { X: { ${body} } } catch (e) { throw p${number}.failure(e, pc); }
M.depth -= ${stackBytes};
return p${number}.pause(pc, [${state.join(', ')}]); };`;
  // A function that claims no stack when it begins has done so here.
  return code.replaceAll(LEAVE, `M.depth -= ${stackBytes};`);
}

function withLeave(code: string, { hasCalls }: EmitContext, stackBytes: number): string {
  return code.replaceAll(LEAVE, hasCalls ? `M.depth -= ${stackBytes};` : '');
}

function emitParts(
  node: FunctionNode,
  { numbers, loadLines }: EmitOptions,
  isResuming: boolean,
): Parts {
  const form = { isResuming, loadLines, emitters: EMITTERS };
  const context = new EmitContext(node, numbers, form);
  const { writer } = context;
  const piece = writer.capture(() => {
    for (const parameter of node.parameters) {
      if (isBoxed(parameter)) context.declare(parameter, parameterOperand(context, parameter.slot));
    }
    if (node.argVariable !== undefined) {
      const code = 'R.argTable(va)';
      context.declare(node.argVariable, { code, kind: 'table', isStable: false });
    }
    showParameters(context);
    emitStatements(context, node.body);
    context.locals = [];
    context.line(node.endLine);
    writer.plain(`${LEAVE} return NONE;`);
  });
  const locals = Array.from({ length: node.slotCount }, (_, slot) => `v${slot}`);
  for (let index = 0; index < writer.temporariesMax; index++) locals.push(`t${index}`);
  if (context.isDebugged) locals.push('ln');
  const upvalues = node.upvalues.map((variable) => context.place(variable));
  const state = [...new Set([...upvalues, 'self']), ...locals];
  if (node.isVararg) state.push('va');
  const stackBytes = CALL_STACK_BYTES + VARIABLE_BYTES * locals.length;
  return { context, body: piece.code, state, locals, stackBytes };
}

/** Every function with `...` has a variable `arg`, if only as nil. */
function showParameters(context: EmitContext): void {
  const { parameters, isVararg, parent, argVariable } = context.node;
  context.showVariables(parameters);
  if (argVariable !== undefined) context.showVariables([argVariable]);
  else if (isVararg && parent !== undefined) context.show({ name: 'arg', place: undefined });
}

function parameterOperand(context: EmitContext, slot: number): Operand {
  return { code: `v${slot}`, kind: 'any', isStable: context.writer.isResuming };
}
