/** Expressions of Lua text. Source: Lua 5.1 manual, 2.5. */
import { NAME, NUMBER, STRING } from './lexer.ts';
import { UPVALUES_MAX } from './scope.ts';
import {
  type BinaryOperator,
  type CallExpression,
  type Expression,
  type FunctionNode,
  type TableField,
  endLine,
} from './syntax.ts';
import type { TokenReader } from './token-reader.ts';

interface Priority {
  readonly left: number;
  /** Lower than `left` for what groups to the right. */
  readonly right: number;
}

const PRIORITIES: Readonly<Record<BinaryOperator, Priority>> = {
  or: { left: 1, right: 1 },
  and: { left: 2, right: 2 },
  '<': { left: 3, right: 3 },
  '>': { left: 3, right: 3 },
  '<=': { left: 3, right: 3 },
  '>=': { left: 3, right: 3 },
  '~=': { left: 3, right: 3 },
  '==': { left: 3, right: 3 },
  '..': { left: 5, right: 4 },
  '+': { left: 6, right: 6 },
  '-': { left: 6, right: 6 },
  '*': { left: 7, right: 7 },
  '/': { left: 7, right: 7 },
  '%': { left: 7, right: 7 },
  '^': { left: 10, right: 9 },
};
const BINARY_OPERATORS: ReadonlyMap<string, Priority> = new Map(Object.entries(PRIORITIES));
const UNARY_PRIORITY = 8;
/** Values that one function holds at a time. Source: Lua 5.1, llimits.h, MAXSTACK. */
const VALUES_MAX = 250;

/** Parses the inside of a function, behind its name: parameters and body up to `end`. */
export type FunctionParser = (isMethod: boolean, line: number) => FunctionNode;

export class ExpressionParser {
  readonly #reader: TokenReader;
  readonly #parseFunction: FunctionParser;
  readonly loadLines: Map<Expression, number> = new Map<Expression, number>();

  constructor(reader: TokenReader, parseFunction: FunctionParser) {
    this.#reader = reader;
    this.#parseFunction = parseFunction;
  }

  list(): Expression[] {
    const values = [this.expression()];
    while (this.#reader.accept(',')) {
      this.#noteLoad(values.at(-1) as Expression);
      values.push(this.expression());
      if (this.#reader.scope.localCount + values.length >= VALUES_MAX) {
        throw this.#reader.error('function or expression too complex');
      }
    }
    return values;
  }

  /** What has just been read is followed by something behind which its value is loaded. */
  #noteLoad(expression: Expression): void {
    const { lastLine } = this.#reader;
    if (lastLine !== endLine(expression)) this.loadLines.set(expression, lastLine);
  }

  /** @param limit only operators that bind stronger than this are taken */
  expression(limit = 0): Expression {
    const reader = this.#reader;
    reader.enterLevel();
    let left = this.#operand();
    for (;;) {
      const operator = reader.kind;
      const priority = BINARY_OPERATORS.get(operator);
      if (priority === undefined || priority.left <= limit) break;
      reader.advance();
      this.#noteLoad(left);
      const right = this.expression(priority.right);
      const line = reader.lastLine;
      left = { kind: 'binary', operator: operator as BinaryOperator, left, right, line };
    }
    reader.leaveLevel();
    return left;
  }

  /** A name or something in parentheses, and what follows it: fields, calls. */
  chain(): Expression {
    const reader = this.#reader;
    let value = this.#prefix();
    for (;;) {
      switch (reader.kind) {
        case '.': {
          reader.advance();
          const key = this.name();
          value = { kind: 'index', object: value, key, line: reader.lastLine };
          break;
        }
        case '[': {
          const key = this.bracketKey();
          value = { kind: 'index', object: value, key, line: reader.lastLine };
          break;
        }
        case ':':
          reader.advance();
          value = this.#call(value, reader.name());
          break;
        case '(':
        case '{':
        case STRING:
          value = this.#call(value, undefined);
          break;
        default:
          return value;
      }
    }
  }

  /** A name that stands for a text. */
  name(): Expression {
    const value = this.#reader.name();
    return { kind: 'string', value, line: this.#reader.lastLine };
  }

  bracketKey(): Expression {
    this.#reader.advance();
    const key = this.expression();
    this.#reader.expect(']');
    return key;
  }

  variable(name: string): Expression {
    const { scope } = this.#reader;
    const variable = scope.resolve(name);
    const line = this.#reader.lastLine;
    if (variable === undefined) return { kind: 'global', name, line };
    const { overfull } = scope;
    if (overfull !== undefined) {
      this.#reader.checkLimit(UPVALUES_MAX + 1, UPVALUES_MAX, 'upvalues', overfull);
    }
    return { kind: 'variable', variable, line };
  }

  #prefix(): Expression {
    const reader = this.#reader;
    if (reader.kind === NAME) return this.variable(reader.name());
    if (reader.kind !== '(') throw reader.error('unexpected symbol');
    const { line } = reader;
    reader.advance();
    const inner = this.expression();
    reader.expectClose(')', '(', line);
    this.#noteLoad(inner);
    return { kind: 'paren', inner };
  }

  #operand(): Expression {
    const reader = this.#reader;
    const { kind, value } = reader.token;
    switch (kind) {
      case NUMBER:
        reader.advance();
        return { kind: 'number', value: Number(value), line: reader.lastLine };
      case STRING:
        return this.#string();
      case 'nil':
      case 'true':
      case 'false':
        reader.advance();
        return { kind, line: reader.lastLine };
      case '...':
        if (!reader.scope.node.isVararg) {
          throw reader.error("cannot use '...' outside a vararg function");
        }
        reader.scope.noteVarargs();
        return this.#vararg();
      case '{':
        return this.#table();
      case 'function': {
        const { line } = reader;
        reader.advance();
        return { kind: 'function', node: this.#parseFunction(false, line) };
      }
      case 'not':
      case '-':
      case '#': {
        reader.advance();
        const operand = this.expression(UNARY_PRIORITY);
        return { kind: 'unary', operator: kind, operand, line: reader.lastLine };
      }
      default:
        return this.chain();
    }
  }

  #call(callee: Expression, method: string | undefined): CallExpression {
    const reader = this.#reader;
    const { line, lastLine: nameLine } = reader;
    const args = this.#arguments();
    return { kind: 'call', callee, method, nameLine, args, line, endLine: reader.lastLine };
  }

  /** Lua's machine takes the values before it looks at what follows: at the line of what stands before. */
  #vararg(): Expression {
    const { lastLine } = this.#reader;
    this.#reader.advance();
    return { kind: 'vararg', line: lastLine };
  }

  #string(): Expression {
    const value = this.#reader.string();
    return { kind: 'string', value, line: this.#reader.lastLine };
  }

  #arguments(): Expression[] {
    const reader = this.#reader;
    if (reader.kind === STRING) return [this.#string()];
    if (reader.kind === '{') return [this.#table()];
    if (reader.kind !== '(') throw reader.error('function arguments expected');
    const { line } = reader;
    if (line !== reader.lastLine) {
      throw reader.error('ambiguous syntax (function call x new statement)');
    }
    reader.advance();
    if (reader.accept(')')) return [];
    const args = this.list();
    reader.expectClose(')', '(', line);
    this.#noteLoad(args.at(-1) as Expression);
    return args;
  }

  #table(): Expression {
    const reader = this.#reader;
    const { line, lastLine } = reader;
    const fields: TableField[] = [];
    reader.expect('{');
    while (reader.kind !== '}') {
      const field = this.#field();
      fields.push(field);
      if (!reader.accept(',') && !reader.accept(';')) break;
      if (field.key === undefined) this.#noteLoad(field.value);
    }
    reader.expectClose('}', '{', line);
    const last = fields.at(-1);
    if (last !== undefined && last.key === undefined) this.#noteLoad(last.value);
    return { kind: 'table', fields, line: lastLine, endLine: reader.lastLine };
  }

  #field(): TableField {
    const reader = this.#reader;
    let key: Expression | undefined;
    if (reader.kind === '[') key = this.bracketKey();
    else if (reader.kind === NAME && reader.lookAhead() === '=') {
      key = this.name();
    }
    if (key !== undefined) reader.expect('=');
    return { key, value: this.expression(), line: reader.lastLine };
  }
}
