/** Statements as JavaScript. */
import { emitCallStatement, emitList, emitOperands, emitTailCall } from './emit-call.ts';
import { type EmitContext, LEAVE, type Operand, isBoxed, plainPoint } from './emit-context.ts';
import { emitClosure, emitCondition, emitExpression } from './emit-expression.ts';
import { emitGenericFor, emitNumericFor } from './emit-for.ts';
import { emitTick } from './emit-tick.ts';
import {
  type Assignable,
  type Expression,
  type IfStatement,
  type Statement,
  isMultiple,
  isQuiet,
} from './syntax.ts';

const NIL: Operand = { code: 'undefined', kind: 'nil', isStable: true };

/**
 * Statements with variables of their own.
 * @param jumpLine where Lua's machine jumps from when it has done the last one: a line that a debugger stops at
 */
export function emitBlock(
  context: EmitContext,
  statements: readonly Statement[],
  jumpLine?: number,
): void {
  const { locals } = context;
  emitStatements(context, statements, jumpLine);
  context.locals = locals;
}

function emitStatements(
  context: EmitContext,
  statements: readonly Statement[],
  jumpLine?: number,
): void {
  for (const [index, statement] of statements.entries()) {
    const mark = context.writer.mark;
    emitStatement(context, statement, index === statements.length - 1 ? jumpLine : undefined);
    context.writer.release(mark);
  }
  // Jumps to a jump go where that one goes, so that only what comes to the end by itself is at its line.
  const last = statements.at(-1)?.kind;
  const isReached = last !== 'if' && last !== 'do' && last !== 'while';
  if (jumpLine !== undefined && isReached) context.line(jumpLine);
}

function emitStatement(context: EmitContext, statement: Statement, jumpLine?: number): void {
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
      emitBlock(context, statement.body, jumpLine);
      break;
    case 'while':
      emitLoop(context, statement.line, () => {
        emitExit(context, statement.condition, false);
        emitBlock(context, statement.body, statement.endLine);
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
      emitIf(context, statement, jumpLine);
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
    emitStore(context, prepared, emitExpression(context, values[0] as Expression), line);
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
  for (let index = targets.length - 1; index >= 0; index--) {
    emitStore(context, prepared[index] as Prepared, operands[index] as Operand, line);
  }
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
  context.line(line);
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

function emitIf(context: EmitContext, { branches }: IfStatement, jumpLine?: number): void {
  const { writer } = context;
  const label = branches.length > 1 ? writer.label() : undefined;
  const whole = writer.capture(() => {
    for (const [index, { condition, body, endLine }] of branches.entries()) {
      const mark = writer.mark;
      const test = condition === undefined ? 'true' : emitCondition(context, condition).code;
      const isLast = index === branches.length - 1;
      const piece = writer.capture(() => {
        emitBlock(context, body, isLast ? jumpLine : endLine);
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
