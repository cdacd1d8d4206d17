/** Statements as JavaScript. */
import { emitCallStatement, emitList, emitOperands, emitTailCall } from './emit-call.ts';
import {
  type BlockEnd,
  type EmitContext,
  type Jump,
  LEAVE,
  type Operand,
  isBoxed,
  isOutcome,
  plainPoint,
} from './emit-context.ts';
import { emitCondition, isChoice } from './emit-condition.ts';
import { emitClosure, emitExpression } from './emit-expression.ts';
import { emitGenericFor, emitNumericFor } from './emit-for.ts';
import { emitTick } from './emit-tick.ts';
import {
  type Assignable,
  type Expression,
  type IfStatement,
  type Statement,
  type Variable,
  isMultiple,
  isPlain,
  isQuiet,
} from './syntax.ts';

const NIL: Operand = { code: 'undefined', kind: 'nil', isStable: true };

/** Statements with variables of their own. */
export function emitBlock(
  context: EmitContext,
  statements: readonly Statement[],
  { endLine, jump }: BlockEnd,
): void {
  const { locals } = context;
  // Variables that functions keep are parted from the stack.
  const parts = statements.flatMap(declaredBy).some((each) => each.isCaptured);
  emitStatements(context, statements, parts ? undefined : jump);
  context.locals = locals;
  if (!parts) return;
  context.line(endLine);
  if (jump !== undefined) emitJump(context, jump);
}

function declaredBy(statement: Statement): readonly Variable[] {
  if (statement.kind === 'local') return statement.variables;
  return statement.kind === 'localFunction' ? [statement.variable] : [];
}

function emitJump(context: EmitContext, { line, locals }: Jump): void {
  const before = context.locals;
  context.locals = locals;
  context.line(line);
  context.locals = before;
}

/** @param jump what Lua's machine does when it comes to the end, but not when it has jumped there: then it jumps on at once */
export function emitStatements(
  context: EmitContext,
  statements: readonly Statement[],
  jump?: Jump,
): void {
  for (const [index, statement] of statements.entries()) {
    const mark = context.writer.mark;
    emitStatement(context, statement, index === statements.length - 1 ? jump : undefined);
    context.writer.release(mark);
  }
  const last = statements.at(-1)?.kind;
  const isReached = last !== 'if' && last !== 'do' && last !== 'while';
  if (jump !== undefined && isReached) emitJump(context, jump);
}

function emitStatement(context: EmitContext, statement: Statement, jump?: Jump): void {
  switch (statement.kind) {
    case 'local':
      emitLocal(context, statement);
      break;
    case 'localFunction':
      emitLocalFunction(context, statement);
      break;
    case 'assign':
      emitAssign(context, statement);
      break;
    case 'call':
      emitCallStatement(context, statement.call);
      break;
    case 'do':
      emitBlock(context, statement.body, { endLine: statement.endLine, jump });
      break;
    case 'while':
      emitLoop(context, statement.line, () => {
        emitExit(context, statement.condition, false);
        emitBlock(context, statement.body, jumpingAt(context, statement.endLine));
      });
      break;
    case 'repeat':
      emitLoop(context, statement.line, () => {
        const { locals } = context;
        emitStatements(context, statement.body);
        emitExit(context, statement.condition, true);
        context.locals = locals;
      });
      break;
    case 'if':
      emitIf(context, statement, jump);
      break;
    case 'numericFor':
      emitNumericFor(context, statement);
      break;
    case 'genericFor':
      emitGenericFor(context, statement);
      break;
    case 'return':
      emitReturn(context, statement);
      break;
    case 'break':
      context.line(statement.line);
      context.writer.plain(`break ${context.loops.at(-1)};`);
      break;
  }
}

function emitLocal(
  context: EmitContext,
  { variables, values, line }: Extract<Statement, { kind: 'local' }>,
): void {
  const operands = emitAdjusted(context, values, variables.length);
  const last = values.at(-1);
  const isFilled = last !== undefined && isMultiple(last);
  if (values.length < variables.length && !isFilled) context.lineOfNil(line);
  for (const [index, variable] of variables.entries()) {
    context.declare(variable, operands[index] as Operand);
  }
  context.showVariables(variables);
}

/** A list of expressions as exactly so many operands. */
function emitAdjusted(
  context: EmitContext,
  values: readonly Expression[],
  count: number,
): Operand[] {
  const last = values.at(-1);
  if (last === undefined || !isMultiple(last) || values.length >= count) {
    const operands = emitOperands(context, values);
    while (operands.length < count) operands.push(NIL);
    return operands;
  }
  const { operands, rest } = emitList(context, values);
  for (let index = 0; operands.length < count; index++) {
    operands.push({ code: `${rest}[${index}]`, kind: 'any', isStable: true });
  }
  return operands;
}

function emitLocalFunction(
  context: EmitContext,
  { variable, node }: Extract<Statement, { kind: 'localFunction' }>,
): void {
  if (isBoxed(variable)) {
    context.declare(variable, NIL);
    context.assign(variable, emitClosure(context, node).code);
  } else {
    context.declare(variable, emitClosure(context, node));
  }
  context.showVariables([variable]);
}

function emitAssign(
  context: EmitContext,
  { targets, values, line }: Extract<Statement, { kind: 'assign' }>,
): void {
  const [first] = targets;
  if (targets.length === 1 && values.length === 1 && first !== undefined) {
    const prepared = prepareTarget(
      context,
      first,
      values.every((value) => isQuiet(value)),
    );
    const value = values[0] as Expression;
    const operand = emitExpression(context, value, line);
    const isOwn = first.kind === 'variable' && first.variable.owner === context.node;
    if (!isOwn || isMoved(value)) context.line(line);
    emitStore(context, prepared, operand, line);
    return;
  }
  const copied = (operand: Operand): Operand =>
    operand.kind === 'nil' ? operand : context.copy(operand);
  const prepared = targets.map((target) => {
    const { object, key } = prepareTarget(context, target, false);
    return {
      target,
      object: object === undefined ? undefined : copied(object),
      key: key === undefined ? undefined : copied(key),
    };
  });
  const operands = emitAdjusted(context, values, targets.length).map((operand) => copied(operand));
  context.line(line);
  for (let index = targets.length - 1; index >= 0; index--) {
    emitStore(context, prepared[index] as Prepared, operands[index] as Operand, line);
  }
}

/** Whether Lua's machine works a value out elsewhere before it becomes a variable's, or at its end. */
function isMoved(value: Expression): boolean {
  if (value.kind === 'paren') return isMoved(value.inner);
  if (isChoice(value)) return value.right.kind === 'call' || value.right.kind === 'table';
  const isElsewhere = value.kind === 'call' || value.kind === 'table' || value.kind === 'nil';
  return isElsewhere || isPlain(value) || isOutcome(value);
}

interface Prepared {
  readonly target: Assignable;
  readonly object: Operand | undefined;
  readonly key: Operand | undefined;
}

/** Works out what stands before and in the brackets. @param isQuietAfter whether nothing can change it until it is used */
function prepareTarget(context: EmitContext, target: Assignable, isQuietAfter: boolean): Prepared {
  if (target.kind !== 'index') return { target, object: undefined, key: undefined };
  const keep = (operand: Operand): Operand => (isQuietAfter ? operand : context.stable(operand));
  const first = emitExpression(context, target.object);
  const object = isQuiet(target.key) ? keep(first) : context.stable(first);
  return { target, object, key: keep(emitExpression(context, target.key)) };
}

function emitStore(
  context: EmitContext,
  { target, object, key }: Prepared,
  value: Operand,
  line: number,
): void {
  if (target.kind === 'variable') {
    context.assign(target.variable, value.code);
    return;
  }
  if (target.kind === 'global') {
    const name = JSON.stringify(target.name);
    context.writer.point(
      plainPoint(line),
      (index) => `pc = ${index}; if (R.setIndex(G, ${name}, ${value.code}) === P) break X;`,
    );
    return;
  }
  const [to, at] = [object as Operand, key as Operand];
  const what = context.describe(target.object);
  const isFree = `${to.code} instanceof T && ${to.code}.metatable === undefined && !${to.code}.isReadonly`;
  const slow = (index: number): string =>
    `{ pc = ${index}; if (R.setIndex(${to.code}, ${at.code}, ${value.code}, ${what}) === P) break X; }`;
  context.writer.point(plainPoint(line), (index) => {
    if (at.kind === 'string') {
      return `if (${isFree}) ${to.code}.setString(${at.code}, ${value.code}); else ${slow(index)}`;
    }
    const isNumber = at.kind === 'number' ? '' : `typeof ${at.code} === 'number' && `;
    return (
      `if (${isNumber}${at.code} > 0 && ${isFree}) { ` +
      `if (${at.code} < ${to.code}.list.length - 1 && ${to.code}.list[${at.code}] !== undefined) ` +
      `${to.code}.list[${at.code}] = ${value.code}; ` +
      `else ${to.code}.setIndex(${at.code}, ${value.code}); } else ${slow(index)}`
    );
  });
}

/** Leaves the innermost loop if the condition is as said. */
function emitExit(context: EmitContext, expression: Expression, when: boolean): void {
  const { code } = emitCondition(context, expression);
  context.writer.plain(`if (${when ? code : `!${code}`}) break ${context.loops.at(-1)};`);
}

function emitLoop(context: EmitContext, line: number, emitBody: () => void): void {
  const { writer } = context;
  const label = writer.label();
  context.loops.push(label);
  const piece = writer.capture(() => {
    emitBody();
    context.goBack();
    emitTick(context, line);
  });
  context.loops.pop();
  writer.enclosed(`${label}: while (true) { ${piece.code} }`, piece);
}

/** The end of a block behind which Lua's machine jumps. */
function jumpingAt(context: EmitContext, endLine: number): BlockEnd {
  return { endLine, jump: { line: endLine, locals: context.locals } };
}

function emitIf(context: EmitContext, { branches }: IfStatement, jump?: Jump): void {
  const { writer } = context;
  const label = branches.length > 1 ? writer.label() : undefined;
  const whole = writer.capture(() => {
    for (const [index, { condition, body, endLine }] of branches.entries()) {
      const mark = writer.mark;
      const test = condition === undefined ? 'true' : emitCondition(context, condition).code;
      const isLast = index === branches.length - 1;
      const piece = writer.capture(() => {
        // What comes to an empty `else` has jumped there.
        const isPassed = condition === undefined && body.length === 0;
        const end = { endLine, jump: isPassed ? undefined : jump };
        emitBlock(context, body, isLast ? end : jumpingAt(context, endLine));
        if (!isLast) writer.plain(`break ${label};`);
      });
      writer.compound(`if (${writer.entry(test, piece)}) { ${piece.code} }`);
      writer.release(mark);
    }
  });
  writer.compound(label === undefined ? whole.code : `${label}: { ${whole.code} }`);
}

function emitReturn(
  context: EmitContext,
  { values, line }: Extract<Statement, { kind: 'return' }>,
): void {
  const { writer } = context;
  const [first] = values;
  if (values.length === 1 && first?.kind === 'call') {
    emitTailCall(context, first);
    return;
  }
  const { operands, rest } = emitList(context, values);
  context.line(line);
  const codes = operands.map(({ code }) => code);
  let code = codes.length === 0 ? 'NONE' : codes[0];
  if (rest !== undefined && codes.length === 0) code = rest;
  else if (rest !== undefined) code = `[${codes.join(', ')}, ...${rest}]`;
  else if (codes.length > 1) code = `[${codes.join(', ')}]`;
  writer.plain(`${LEAVE} return ${code};`);
}
