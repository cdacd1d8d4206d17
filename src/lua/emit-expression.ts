/** Expressions as JavaScript. What can pause becomes a statement of its own, and its value a variable. */
import { emitCall, emitOperands } from './emit-call.ts';
import { type EmitContext, type Operand, isSelf, plainPoint, text } from './emit-context.ts';
import { type Begun, emitChoice, emitNot, isChoice } from './emit-condition.ts';
import { emitTable } from './emit-table.ts';
import {
  type BinaryExpression,
  type Expression,
  type FunctionNode,
  type IndexExpression,
  type Kind,
  isPlain,
  isQuiet,
} from './syntax.ts';

const NIL: Operand = { code: 'undefined', kind: 'nil', isStable: true };

const EVENTS: Readonly<Record<string, string>> = {
  '+': '__add',
  '-': '__sub',
  '*': '__mul',
  '/': '__div',
  '%': '__mod',
  '^': '__pow',
};

/**
 * The value of an expression; of a call the first result.
 * @param at the line where it is taken from a global, a field or an upvalue, if not its own
 */
export function emitExpression(context: EmitContext, expression: Expression, at?: number): Operand {
  // What stands leftmost is followed down in a loop: chains of operators, fields and calls can be long.
  const spine: Expression[] = [];
  let bottom: Expression | undefined = expression;
  for (let next: Expression | undefined = bottom; next !== undefined; next = leftmost(next)) {
    spine.push(next);
    bottom = next;
  }
  spine.pop();
  const lineOf = (each: Expression): number =>
    each === expression && at !== undefined ? at : context.lineOf(each);
  let operand = emitLeaf(context, bottom, lineOf(bottom));
  while (spine.length > 0) {
    const upon = spine.pop() as Expression;
    const around = spine.at(-1);
    const isTested = around !== undefined && isChoice(around);
    operand = emitUpon(context, upon, { operand, at: lineOf(upon), isTested });
  }
  return operand;
}

function leftmost(expression: Expression): Expression | undefined {
  switch (expression.kind) {
    case 'binary':
      return expression.operator === '..' ? undefined : expression.left;
    case 'index':
      return expression.object;
    case 'call':
      return expression.callee;
    default:
      return undefined;
  }
}

function emitLeaf(context: EmitContext, expression: Expression, at: number): Operand {
  switch (expression.kind) {
    case 'nil':
      return NIL;
    case 'true':
    case 'false':
      return { code: expression.kind, kind: 'boolean', isStable: true };
    case 'number':
      return { code: numberCode(expression.value), kind: 'number', isStable: true };
    case 'string':
      return { code: text(expression.value), kind: 'string', isStable: true };
    case 'vararg':
      context.line(expression.line);
      return { code: 'va[0]', kind: 'any', isStable: true };
    case 'variable':
      if (expression.variable.owner !== context.node) context.line(at);
      return context.operand(expression.variable);
    case 'global':
      context.line(at);
      return emitGlobal(context, expression.name, expression.line);
    case 'function':
      return emitClosure(context, expression.node);
    case 'paren':
      return emitExpression(context, expression.inner, loadsLater(expression) ? at : undefined);
    case 'table':
      return emitTable(context, expression);
    case 'unary':
      return emitUnary(context, expression);
    default:
      return emitConcat(context, expression as BinaryExpression);
  }
}

/** Whether parentheses take nothing from a global, a field or an upvalue that would only be taken behind them. */
function loadsLater(expression: Expression): boolean {
  let inner = expression;
  while (inner.kind === 'paren') inner = inner.inner;
  return isChoice(inner) && isPlain(inner.right);
}

/** An expression whose leftmost part is worked out. */
function emitUpon(context: EmitContext, expression: Expression, begun: Begun): Operand {
  switch (expression.kind) {
    case 'index':
      return emitIndex(context, expression, begun);
    case 'call':
      return emitCall(context, expression, begun.operand);
    default:
      return emitBinary(context, expression as BinaryExpression, begun);
  }
}

/** In parentheses, so that a dot behind it is not its own. */
function numberCode(value: number): string {
  return Number.isFinite(value) ? `(${value})` : '(1/0)';
}

/** The function object that a text of a function makes. */
export function emitClosure(context: EmitContext, node: FunctionNode): Operand {
  const places = node.upvalues
    .filter((variable) => !isSelf(node, variable))
    .map((variable) => context.place(variable));
  context.line(node.endLine);
  const factory = `F${context.numbers.get(node)}`;
  return context.copy({
    code: `${factory}(${places.join(', ')})`,
    kind: 'function',
    isStable: false,
  });
}

/** A statement that gives `target` a value by a short way, or else by one that can pause. */
export interface Detour {
  readonly line: number;
  readonly target: string;
  /** Condition of the short way. */
  readonly when: string;
  readonly value: string;
  readonly otherwise: string;
}

export function emitDetour(context: EmitContext, detour: Detour): void {
  const { line, target, when, value, otherwise } = detour;
  context.writer.point(
    plainPoint(line),
    (index) =>
      `if (${when}) ${target} = ${value}; ` +
      `else { pc = ${index}; if ((${target} = ${otherwise}) === P) break X; }`,
    target,
  );
}

function result(target: string, kind: Kind = 'any'): Operand {
  return { code: target, kind, isStable: true };
}

function emitGlobal(context: EmitContext, name: string, line: number): Operand {
  const target = context.writer.temporary();
  const key = text(name);
  emitDetour(context, {
    line,
    target,
    when: fieldRead(context, { object: 'G', key, target }),
    value: target,
    otherwise: `R.index(G, ${key})`,
  });
  return result(target);
}

/**
 * Reads a field by its name, first where it was found the last time: most places of a program read one kind of
 * table. The condition that there is a value, which `target` then has.
 */
function fieldRead(
  context: EmitContext,
  { object, key, target }: { object: string; key: string; target: string },
): string {
  const place = context.variable('0');
  return (
    `(${object}.keys[${place}] === ${key} || (${place} = ${object}.fieldIndex(${key})) >= 0) && ` +
    `(${target} = ${object}.values[${place}]) !== undefined`
  );
}

function emitIndex(
  context: EmitContext,
  expression: IndexExpression,
  { operand: from, at }: Begun,
): Operand {
  const { key, object: objectNode, line } = expression;
  const object = isQuiet(key) ? from : context.stable(from);
  const keyOperand = emitExpression(context, key);
  context.line(at);
  const target = context.writer.temporary();
  const read =
    keyOperand.kind === 'string' && key.kind === 'string'
      ? fieldRead(context, { object: object.code, key: keyOperand.code, target })
      : `(${target} = ${rawGet(object.code, keyOperand)}) !== undefined`;
  const isTable = object.kind === 'table' ? '' : `${object.code} instanceof T && `;
  emitDetour(context, {
    line,
    target,
    when: isTable + read,
    value: target,
    otherwise: `R.index(${object.code}, ${keyOperand.code}, ${context.describe(objectNode)})`,
  });
  return result(target);
}

/** A read of a table that finds most of what is there. */
function rawGet(object: string, { code, kind }: Operand): string {
  if (kind === 'string') return `${object}.getString(${code})`;
  if (kind === 'number') return `${object}.list[${code}]`;
  if (kind === 'any') {
    return `typeof ${code} === 'number' ? ${object}.list[${code}] : ${object}.get(${code})`;
  }
  return `${object}.get(${code})`;
}

function emitUnary(
  context: EmitContext,
  expression: Extract<Expression, { kind: 'unary' }>,
): Operand {
  const { operator, operand: node, line } = expression;
  if (operator === 'not') {
    const operand = emitNot(context, node);
    context.line(line);
    return operand;
  }
  const operand = emitExpression(context, node);
  context.line(line);
  if (operator === '-' && operand.kind === 'number') {
    return context.pure(`(-${spaced(operand.code)})`, 'number', operand);
  }
  const target = context.writer.temporary();
  const what = context.describe(node);
  const { code } = operand;
  emitDetour(
    context,
    operator === '-'
      ? {
          line,
          target,
          when: `typeof ${code} === 'number'`,
          value: `-${spaced(code)}`,
          otherwise: `R.negate(${code}, ${what})`,
        }
      : {
          line,
          target,
          when: `${code} instanceof T`,
          value: `${code}.list.length - 1`,
          otherwise: `R.length(${code}, ${what})`,
        },
  );
  return result(target);
}

/** Keeps two minus signs apart. */
function spaced(code: string): string {
  return code.startsWith('-') ? ` ${code}` : code;
}

function emitBinary(context: EmitContext, expression: BinaryExpression, begun: Begun): Operand {
  const { operator, right: rightNode } = expression;
  if (operator === 'and' || operator === 'or') return emitChoice(context, expression, begun);
  const first = begun.operand;
  const left = isQuiet(rightNode) ? first : context.stable(first);
  const right = emitExpression(context, rightNode);
  context.line(expression.line);
  if (operator === '==' || operator === '~=') return emitEquality(context, expression, left, right);
  if (EVENTS[operator] !== undefined) return emitArithmetic(context, expression, left, right);
  return emitOrder(context, expression, left, right);
}

function arithmeticCode(operator: string, left: string, right: string): string {
  if (operator === '%') return `modulo(${left}, ${right})`;
  if (operator === '^') return `power(${left}, ${right})`;
  return `(${left} ${operator} ${spaced(right)})`;
}

function emitArithmetic(
  context: EmitContext,
  expression: BinaryExpression,
  left: Operand,
  right: Operand,
): Operand {
  const { operator, line } = expression;
  const value = arithmeticCode(operator, left.code, right.code);
  const when = bothAre('number', left, right);
  if (when === 'true') return context.pure(value, 'number', left, right);
  const names = `${context.describe(expression.left)}, ${context.describe(expression.right)}`;
  const target = context.writer.temporary();
  emitDetour(context, {
    line,
    target,
    when,
    value,
    otherwise: `R.arithmetic('${EVENTS[operator]}', ${left.code}, ${right.code}, ${names})`,
  });
  return result(target);
}

/** The condition that two operands are of a kind. */
function bothAre(kind: 'number' | 'string', left: Operand, right: Operand): string {
  const unknown = [left, right].filter((operand) => operand.kind !== kind);
  if (unknown.length === 0) return 'true';
  return unknown.map(({ code }) => `typeof ${code} === '${kind}'`).join(' && ');
}

function emitOrder(
  context: EmitContext,
  expression: BinaryExpression,
  left: Operand,
  right: Operand,
): Operand {
  const { operator, line } = expression;
  const value = `${left.code} ${operator} ${right.code}`;
  const when = bothAre('number', left, right);
  if (when === 'true') return context.pure(`(${value})`, 'boolean', left, right);
  const isSwapped = operator === '>' || operator === '>=';
  const [a, b] = isSwapped ? [right, left] : [left, right];
  const name = operator === '<' || operator === '>' ? 'isLess' : 'isLessOrEqual';
  const target = context.writer.temporary();
  const otherwise = `R.${name}(${a.code}, ${b.code})`;
  emitDetour(context, { line, target, when, value, otherwise });
  return result(target, 'boolean');
}

function emitEquality(
  context: EmitContext,
  expression: BinaryExpression,
  left: Operand,
  right: Operand,
): Operand {
  const isNegated = expression.operator === '~=';
  const canHaveHandler = [left, right].every(({ kind }) => kind === 'any' || kind === 'table');
  if (!canHaveHandler) {
    const code = `(${left.code} ${isNegated ? '!==' : '==='} ${right.code})`;
    return context.pure(code, 'boolean', left, right);
  }
  const target = context.writer.temporary();
  emitDetour(context, {
    line: expression.line,
    target,
    when: `${left.code} === ${right.code} || typeof ${left.code} !== 'object'`,
    value: `${left.code} === ${right.code}`,
    otherwise: `R.equals(${left.code}, ${right.code})`,
  });
  const equal = result(target, 'boolean');
  return isNegated ? context.pure(`!${target}`, 'boolean', equal) : equal;
}

/** All operands come first; then they are joined from the right. */
function emitConcat(context: EmitContext, expression: BinaryExpression): Operand {
  const nodes: Expression[] = [];
  let rest: Expression = expression;
  const lines: number[] = [];
  while (rest.kind === 'binary' && rest.operator === '..') {
    nodes.push(rest.left);
    lines.push(rest.line);
    rest = rest.right;
  }
  nodes.push(rest);
  const operands = emitOperands(context, nodes);
  context.line(expression.line);
  let right = operands.pop() as Operand;
  let rightNode = nodes.pop() as Expression;
  for (let left = operands.pop(); left !== undefined; left = operands.pop()) {
    const leftNode = nodes.pop() as Expression;
    const target = context.writer.temporary();
    const names = `${context.describe(leftNode)}, ${context.describe(rightNode)}`;
    emitDetour(context, {
      line: lines.pop() as number,
      target,
      when: bothAre('string', left, right),
      value: `${left.code} + ${right.code}`,
      otherwise: `R.concat(${left.code}, ${right.code}, ${names})`,
    });
    right = result(target);
    rightNode = NO_NAME;
  }
  return right;
}

const NO_NAME: Expression = { kind: 'nil', line: 0 };
