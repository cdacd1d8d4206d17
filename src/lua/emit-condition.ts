/** Conditions, `and`, `or` and `not` as JavaScript. */
import { type EmitContext, type Operand, isOutcome } from './emit-context.ts';
import {
  type BinaryExpression,
  type Expression,
  type Kind,
  isComparison,
  isPlain,
} from './syntax.ts';

/** What is known when the leftmost part of an expression has been worked out. */
export interface Begun {
  /** That part. */
  readonly operand: Operand;
  /** Where Lua's machine loads the whole. */
  readonly at: number;
  /** Whether it tests the whole at once. */
  readonly isTested: boolean;
}

/** The value of the left side, or of the right one if the left side does not decide. */
export function emitChoice(
  context: EmitContext,
  { operator, left, right: rightNode }: BinaryExpression,
  { operand: first, at, isTested }: Begun,
): Operand {
  const { writer } = context;
  if (!isChoice(left)) emitTestLine(context, left, context.lineOf(left));
  const target = writer.temporary();
  writer.plain(`${target} = ${first.code};`);
  const held: Operand = { code: target, kind: first.kind, isStable: true };
  const condition = operator === 'and' ? truth(held) : `!${truth(held)}`;
  let kind: Kind = 'any';
  const piece = writer.capture(() => {
    const right = context.loaded(rightNode, at);
    if (isTested) emitTestLine(context, rightNode, at);
    if (right.kind === first.kind) kind = right.kind;
    writer.plain(`${target} = ${right.code};`);
  });
  writer.compound(`if (${writer.entry(condition, piece)}) { ${piece.code} }`);
  if (isOutcome(left)) context.line(at);
  return { code: target, kind, isStable: true };
}

/** A test needs an instruction, but for one of a constant, or of what has just been compared. */
function emitTestLine(context: EmitContext, node: Expression, at: number): void {
  const tested = lastTested(node);
  const isConstant = isPlain(tested) && tested.kind !== 'variable' && tested.kind !== 'false';
  const isCompared = tested.kind === 'binary' && isComparison(tested.operator);
  if (!isConstant && !isCompared) context.line(at);
}

/** What decides in the end whether an expression is true. */
function lastTested(expression: Expression): Expression {
  if (expression.kind === 'paren') return lastTested(expression.inner);
  if (isChoice(expression)) return lastTested(expression.right);
  const isNot = expression.kind === 'unary' && expression.operator === 'not';
  return isNot ? lastTested(expression.operand) : expression;
}

/** Whether it is an `and` or an `or`. */
export function isChoice(expression: Expression): expression is BinaryExpression {
  if (expression.kind !== 'binary') return false;
  return expression.operator === 'and' || expression.operator === 'or';
}

/** `not` of an expression. @param at as of a condition */
export function emitNot(context: EmitContext, node: Expression, at?: number): Operand {
  const { code, isStable } = emitCondition(context, node, at);
  return context.pure(`!${code}`, 'boolean', { code, kind: 'boolean', isStable });
}

/** Whether a value counts as true, as JavaScript without effects. */
function truth({ code, kind }: Operand): string {
  if (kind === 'boolean') return code;
  if (kind === 'nil') return 'false';
  return kind === 'any' ? `(${code} !== undefined && ${code} !== false)` : 'true';
}

/**
 * An expression as a condition.
 * @param at where Lua's machine tests what decides last, if that is not where it would be loaded
 */
export function emitCondition(
  context: EmitContext,
  expression: Expression,
  at: number = context.lineOf(expression),
): Operand {
  const steps: BinaryExpression[] = [];
  let bottom = expression;
  while (isChoice(bottom)) {
    steps.push(bottom);
    bottom = bottom.left;
  }
  const first = emitTested(context, bottom, steps.length === 0 ? at : context.lineOf(bottom));
  let condition = context.pure(truth(first), 'boolean', first);
  while (steps.length > 0) {
    const step = steps.pop() as BinaryExpression;
    const stepAt = steps.length === 0 ? at : context.lineOf(step);
    condition = emitConditionStep(context, condition, { step, at: stepAt });
  }
  return condition;
}

function emitTested(context: EmitContext, node: Expression, at: number): Operand {
  if (node.kind === 'unary' && node.operator === 'not') return emitNot(context, node.operand, at);
  const operand = context.expression(node);
  emitTestLine(context, node, at);
  return operand;
}

function emitConditionStep(
  context: EmitContext,
  left: Operand,
  { step, at }: { readonly step: BinaryExpression; readonly at: number },
): Operand {
  const { writer } = context;
  const isAnd = step.operator === 'and';
  const mark = writer.mark;
  const target = writer.temporary();
  let right: Operand | undefined;
  const piece = writer.capture(() => {
    right = emitCondition(context, step.right, at);
  });
  if (piece.code === '') {
    writer.release(mark);
    const condition = right as unknown as Operand;
    const code = `(${left.code} ${isAnd ? '&&' : '||'} ${condition.code})`;
    return context.pure(code, 'boolean', left, condition);
  }
  const code = (right as unknown as Operand).code;
  writer.plain(`${target} = ${left.code};`);
  // The assignment stands behind what was captured, so it is written apart in turn.
  const last = writer.isResuming
    ? `if (re === 0) { ${target} = ${code}; }`
    : `${target} = ${code};`;
  const test = isAnd ? target : `!${target}`;
  writer.compound(`if (${writer.entry(test, piece)}) { ${piece.code}\n${last} }`);
  return { code: target, kind: 'boolean', isStable: true };
}
