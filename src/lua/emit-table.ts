/** Table constructors as JavaScript. */
import { type EmitContext, type Operand, plainPoint, text } from './emit-context.ts';
import { emitMultiple } from './emit-call.ts';
import {
  type Expression,
  type TableExpression,
  type TableField,
  isMultiple,
  isQuiet,
} from './syntax.ts';

/** So many values that are not constants are worked out before the table is made; more go in one by one. */
const VALUES_MAX = 50;
/** Tables of so many named fields share their names. */
const FIELDS_MAX = 8;

export function emitTable(context: EmitContext, expression: TableExpression): Operand {
  const { fields } = expression;
  const target = context.writer.temporary();
  context.line(expression.line);
  if (canBeMadeAtOnce(fields)) emitAtOnce(context, expression, target);
  else emitOneByOne(context, expression, target);
  return { code: target, kind: 'table', isStable: true };
}

function canBeMadeAtOnce(fields: readonly TableField[]): boolean {
  const named = fields.filter(({ key }) => key !== undefined);
  const names = named.map(({ key }) => (key?.kind === 'string' ? key.value : undefined));
  const isRecord = names.every((name) => name !== undefined) && names.length <= FIELDS_MAX;
  const loud = fields.filter(({ value }) => !isQuiet(value)).length;
  return isRecord && new Set(names).size === names.length && loud <= VALUES_MAX;
}

function emitAtOnce(context: EmitContext, table: TableExpression, target: string): void {
  const { fields, endLine } = table;
  const list: string[] = [];
  const names: string[] = [];
  const values: string[] = [];
  const lastLoud = fields.findLastIndex(({ value }) => !isQuiet(value));
  for (const [index, field] of fields.entries()) {
    const { key, value, line } = field;
    if (key === undefined && index === fields.length - 1 && isMultiple(value)) {
      list.push(`...${emitMultiple(context, value)}`);
      continue;
    }
    const operand = emitField(context, field);
    if (key !== undefined) context.line(line);
    const { code } = index >= lastLoud ? operand : context.stable(operand);
    if (key === undefined) list.push(code);
    else {
      names.push(text((key as Extract<Expression, { kind: 'string' }>).value));
      values.push(code);
    }
  }
  if (list.length > 0) context.line(endLine);
  const adoptList = list.length === 0 ? '' : `.adoptList([undefined, ${list.join(', ')}])`;
  const adoptFields =
    names.length === 0
      ? ''
      : `.adoptFields(${context.constant(`[${names.join(', ')}]`)}, [${values.join(', ')}])`;
  context.writer.plain(`${target} = new T()${adoptList}${adoptFields};`);
}

function emitOneByOne(context: EmitContext, table: TableExpression, target: string): void {
  const { fields, endLine } = table;
  const { writer } = context;
  writer.plain(`${target} = new T();`);
  const mark = writer.mark;
  let count = 0;
  for (const [index, field] of fields.entries()) {
    const { key, value, line } = field;
    if (key !== undefined) {
      const keyOperand = isQuiet(value)
        ? context.expression(key)
        : context.stable(context.expression(key));
      const { code } = context.expression(value);
      context.line(line);
      writer.point(
        plainPoint(line),
        (point) => `pc = ${point}; R.setIndex(${target}, ${keyOperand.code}, ${code});`,
      );
    } else if (index === fields.length - 1 && isMultiple(value)) {
      writer.plain(`R.append(${target}, ${count}, ${emitMultiple(context, value)});`);
    } else {
      writer.plain(`${target}.setIndex(${++count}, ${emitField(context, field).code});`);
    }
    writer.release(mark);
  }
  if (fields.some(({ key }) => key === undefined)) context.line(endLine);
}

function emitField(context: EmitContext, { key, value }: TableField): Operand {
  return key === undefined ? context.loaded(value) : context.expression(value);
}
