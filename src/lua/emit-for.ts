/** The two `for` loops as JavaScript. */
import { type EmitContext, type Operand, plainPoint } from './emit-context.ts';
import { emitList } from './emit-call.ts';
import { emitTick } from './emit-tick.ts';
import type { Expression, GenericForStatement, NumericForStatement, Variable } from './syntax.ts';

export function emitNumericFor(context: EmitContext, loop: NumericForStatement): void {
  const { writer } = context;
  const limitLine = context.lineOf(loop.limit);
  const stepNode: Expression = loop.step ?? { kind: 'number', value: 1, line: limitLine };
  const parts = [loop.start, loop.limit, stepNode].map((node) =>
    context.copy(context.loaded(node)),
  );
  const { locals } = context;
  const [start, limit, step] = parts as [Operand, Operand, Operand];
  const shown = showNumericFor(context, { start, limit, step });
  context.line(loop.doLine);
  const checks: string[] = [];
  for (const [index, what] of ['initial value', 'limit', 'step'].entries()) {
    const { code, kind } = parts[index] as Operand;
    if (kind === 'number') continue;
    checks.push(`if (typeof ${code} !== 'number') ${code} = forNumber(${code}, '${what}');`);
  }
  if (checks.length > 0) {
    writer.point(plainPoint(loop.doLine), (index) => `pc = ${index}; ${checks.join(' ')}`);
  }
  const { variable } = loop;
  const label = writer.label();
  if (shown !== undefined) writer.plain(`${shown} = ${start.code} - ${step.code};`);
  context.line(loop.line);
  context.loops.push(label);
  const piece = writer.capture(() => {
    context.goBack();
    if (shown !== undefined) writer.plain(`${shown} = ${start.code};`);
    context.declare(variable, { code: start.code, kind: 'number', isStable: true });
    emitBody(context, loop, [variable]);
    context.line(loop.line);
    emitTick(context, loop.line);
  });
  context.loops.pop();
  context.locals = locals;
  const [i, l, s] = [start.code, limit.code, step.code];
  const isUpwards = stepNode.kind === 'number' && stepNode.value > 0;
  const test = isUpwards ? `${i} <= ${l}` : `(${s} > 0 ? ${i} <= ${l} : ${l} <= ${i})`;
  const condition = writer.isResuming ? `re !== 0 || ${test}` : test;
  const step1 = isUpwards ? `${i} += ${stepNode.value}` : `${i} += ${s}`;
  writer.enclosed(`${label}: for (; ${condition}; ${step1}) { ${piece.code} }`, piece);
}

function emitBody(
  context: EmitContext,
  { body, endLine }: NumericForStatement | GenericForStatement,
  variables: readonly Variable[],
): void {
  const { locals } = context;
  context.showVariables(variables);
  const parts = variables.some((each) => each.isCaptured);
  context.block(body, { endLine });
  context.locals = locals;
  if (parts) context.line(endLine);
}

/** What a debugger sees of a loop besides its variable. The place of the index, which is one step before its first value at first. */
function showNumericFor(
  context: EmitContext,
  { start, limit, step }: { start: Operand; limit: Operand; step: Operand },
): string | undefined {
  if (!context.isDebugged) return undefined;
  const { writer } = context;
  const index = writer.temporary();
  writer.plain(`${index} = ${start.code};`);
  context.show(
    { name: '(for index)', place: index },
    { name: '(for limit)', place: limit.code },
    { name: '(for step)', place: step.code },
  );
  return index;
}

/**
 * `pairs`, `ipairs` and `next` over a table are walked in place. A walk in place sees no keys that come while it goes on behind
 * those there were, so that it ends.
 */
export function emitGenericFor(context: EmitContext, loop: GenericForStatement): void {
  const { writer } = context;
  const [f, s, control] = emitThree(context, loop.values) as [string, string, string];
  const walk = writer.temporary();
  const { locals } = context;
  writer.plain(`${walk} = walkOf(${f}, ${s}, ${control});`);
  const label = writer.label();
  context.show(
    { name: '(for generator)', place: f },
    { name: '(for state)', place: s },
    { name: '(for control)', place: control },
  );
  context.line(loop.doLine);
  context.loops.push(label);
  const piece = writer.capture(() => {
    context.line(loop.line);
    emitNext(context, loop, { f, s, control, walk, label });
    context.goBack();
    emitBody(context, loop, loop.variables);
    emitTick(context, loop.line);
  });
  context.loops.pop();
  context.locals = locals;
  writer.enclosed(`${label}: while (true) { ${piece.code} }`, piece);
}

/** Function, state and first control value in variables of their own. */
function emitThree(context: EmitContext, values: readonly Expression[]): string[] {
  const { operands, rest } = emitList(context, values);
  const found = operands.slice(0, 3).map((operand) => context.copy(operand).code);
  for (let index = 0; found.length < 3; index++) {
    const code = rest === undefined ? 'undefined' : `${rest}[${index}]`;
    found.push(context.copy({ code, kind: 'any', isStable: false }).code);
  }
  return found;
}

interface LoopNames {
  readonly f: string;
  readonly s: string;
  readonly control: string;
  readonly walk: string;
  readonly label: string;
}

function emitNext(context: EmitContext, loop: GenericForStatement, names: LoopNames): void {
  const { writer } = context;
  const { f, s, control, walk, label } = names;
  const values = loop.variables.map(() => writer.temporary());
  const [first, second] = values as [string, string | undefined];
  const list = writer.temporary();
  const inPlace =
    `if (!${walk}.advance()) break ${label}; ${first} = ${walk}.key;` +
    (second === undefined ? '' : ` ${second} = ${walk}.value;`) +
    values
      .slice(2)
      .map((value) => ` ${value} = undefined;`)
      .join('') +
    (context.isDebugged ? ` ${control} = ${first};` : '');
  const piece = writer.capture(() => {
    writer.point(
      plainPoint(loop.line),
      (index) =>
        `pc = ${index}; if ((${list} = ${f} instanceof F ? ${f}.call(${s}, ${control}) : ` +
        `R.call(${f}, undefined, [${s}, ${control}])) === P) break X;`,
      list,
    );
    const one = `${first} = ${list};${values
      .slice(1)
      .map((value) => ` ${value} = undefined;`)
      .join('')}`;
    const many = values.map((value, index) => `${value} = ${list}[${index}];`).join(' ');
    writer.plain(`if (${list} instanceof Array) { ${many} } else { ${one} }`);
    writer.plain(`if (${first} === undefined) break ${label}; ${control} = ${first};`);
  });
  const fast = writer.isResuming ? `re === 0 && ${walk} !== undefined` : `${walk} !== undefined`;
  const slow = writer.entry('true', piece);
  writer.compound(`if (${fast}) { ${inPlace} } else if (${slow}) { ${piece.code} }`);
  for (const [index, variable] of loop.variables.entries()) declareLoopVariable(variable, index);

  function declareLoopVariable(variable: Variable, index: number): void {
    context.declare(variable, { code: values[index] as string, kind: 'any', isStable: true });
  }
}
