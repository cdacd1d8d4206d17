/** What the parts of the emitter share about the function that is being written. */
import { CodeWriter } from './code-writer.ts';
import type { PlacedLocal, Point } from './prototype.ts';
import {
  type Expression,
  type FunctionNode,
  type Kind,
  type LoadLines,
  type Statement,
  type Variable,
  endLine,
  isComparison,
  isPlain,
} from './syntax.ts';

/** A value in the code: an expression without effects that cannot pause. */
export interface Operand {
  readonly code: string;
  readonly kind: Kind;
  /** Whether it stays the same while other operands are worked out. */
  readonly isStable: boolean;
}

/**
 * Stands in the code where a function gives back the stack that it has claimed. Whether it claims any is known at its end; no
 * text of a program can hold this character.
 */
export const LEAVE = '\0';

/** Longer expressions go into a variable of their own: JavaScript's parser has a stack, too. */
const CODE_LENGTH_MAX = 200;

/** What follows a block, in Lua's machine, and can be stopped at. */
export interface BlockEnd {
  /** Where its last statement ends. */
  readonly endLine: number;
  /** A jump away. Default none. */
  readonly jump?: Jump | undefined;
}

export interface Jump {
  readonly line: number;
  /** What can be seen there. */
  readonly locals: readonly PlacedLocal[];
}

/** The parts of the emitter that are needed inside each other. */
export interface Emitters {
  readonly expression: (context: EmitContext, expression: Expression, at?: number) => Operand;
  readonly block: (context: EmitContext, statements: readonly Statement[], end: BlockEnd) => void;
}

/** How a function is to be written. */
export interface EmitForm {
  /** See CodeWriter. */
  readonly isResuming: boolean;
  /** For code with stops, which a debugger wants. */
  readonly loadLines: LoadLines | undefined;
  readonly emitters: Emitters;
}

export class EmitContext {
  readonly node: FunctionNode;
  readonly writer: CodeWriter;
  /** Declarations that stand before the function. */
  readonly constants: string[] = [];
  /** Number of the factory of each function of the chunk. */
  readonly numbers: ReadonlyMap<FunctionNode, number>;
  /** Whether the function can run for long or call itself: it then counts its calls and what it takes of the stack. */
  hasCalls = false;
  /** Whether a debugger wants to know when lines begin, and what the variables are. */
  readonly isDebugged: boolean;
  /** The variables that can be seen, in code for a debugger. */
  locals: readonly PlacedLocal[] = [];
  /** Labels of the loops around, the innermost last. */
  readonly loops: string[] = [];
  readonly #emitters: Emitters;
  readonly #loadLines: LoadLines;
  /** How many points there were when variables became nil the last time. */
  #pointsAtNil = 0;
  readonly #upvalues = new Map<Variable, string>();

  constructor(node: FunctionNode, numbers: ReadonlyMap<FunctionNode, number>, form: EmitForm) {
    this.#emitters = form.emitters;
    this.node = node;
    this.numbers = numbers;
    this.isDebugged = form.loadLines !== undefined;
    this.#loadLines = form.loadLines ?? NO_LINES;
    this.writer = new CodeWriter(form.isResuming, node.line, () =>
      this.isDebugged ? { locals: this.locals } : undefined,
    );
    for (const [index, variable] of node.upvalues.entries()) {
      this.#upvalues.set(variable, isSelf(node, variable) ? 'self' : `u${index}`);
    }
  }

  /** A line begins, where a debugger may stop. */
  line(line: number): void {
    const { writer } = this;
    if (!this.isDebugged || writer.lastLine === line) return;
    writer.point(
      plainPoint(line),
      (index) =>
        `if (ln !== ${line}) { ln = ${line}; if (S(${line})) { pc = ${index}; break X; } }`,
    );
    writer.lastLine = line;
  }

  /** The next line begins even if it was the last one: the code goes back. */
  goBack(): void {
    if (!this.isDebugged) return;
    this.writer.plain('ln = 0;');
    this.writer.lastLine = 0;
  }

  /** A debugger can see these from now on. */
  show(...locals: readonly PlacedLocal[]): void {
    if (this.isDebugged) this.locals = [...this.locals, ...locals];
  }

  showVariables(variables: readonly Variable[]): void {
    this.show(...variables.map((each) => ({ name: each.name, place: this.place(each) })));
  }

  /** The value of an expression; of a call the first result. */
  expression(expression: Expression): Operand {
    return this.#emitters.expression(this, expression);
  }

  /** Where Lua's machine loads the value of an expression; of use to a debugger only. */
  lineOf(expression: Expression): number {
    if (!this.isDebugged) return 0;
    let inner = expression;
    while (inner.kind === 'paren' && !this.#loadLines.has(inner)) inner = inner.inner;
    return this.#loadLines.get(inner) ?? endLine(inner);
  }

  /**
   * As `expression`, of a value that Lua's machine puts into a place of its own, which even a constant needs an instruction for.
   * @param at the line of that instruction, if it is not the expression's own
   */
  loaded(expression: Expression, at: number = this.lineOf(expression)): Operand {
    const operand = this.#emitters.expression(this, expression, at);
    if (!this.isDebugged) return operand;
    let inner = expression;
    while (inner.kind === 'paren') inner = inner.inner;
    if (inner.kind === 'nil') this.lineOfNil(at);
    else if (isPlain(inner) || isOutcome(inner)) this.line(at);
    return operand;
  }

  /** Variables become nil: at the beginning of a function they are already, and several after each other are one instruction. */
  lineOfNil(line: number): void {
    const { writer } = this;
    const { length } = writer.points;
    const isJoined = length === this.#pointsAtNil && writer.lastLine !== 0;
    if (length > 1 && !isJoined) this.line(line);
    this.#pointsAtNil = writer.points.length;
  }

  /** Statements with variables of their own. */
  block(statements: readonly Statement[], end: BlockEnd): void {
    this.#emitters.block(this, statements, end);
  }

  /** Where a variable is: the box, if it has one. */
  place(variable: Variable): string {
    if (variable.owner === this.node) return `v${variable.slot}`;
    return this.#upvalues.get(variable) as string;
  }

  operand(variable: Variable): Operand {
    const place = this.place(variable);
    if (isBoxed(variable)) return { code: `${place}.v`, kind: 'any', isStable: false };
    return { code: place, kind: variable.kind, isStable: true };
  }

  /** Gives a variable that has just come into being its value. */
  declare(variable: Variable, value: Operand): void {
    const { code } = value;
    if (!variable.isAssigned) variable.kind = value.kind;
    this.writer.plain(`${this.place(variable)} = ${isBoxed(variable) ? `new B(${code})` : code};`);
  }

  assign(variable: Variable, code: string): void {
    this.writer.plain(`${this.place(variable)}${isBoxed(variable) ? '.v' : ''} = ${code};`);
  }

  /** The operand itself, or a variable that holds it, so that it stays the same. */
  stable(operand: Operand): Operand {
    return operand.isStable ? operand : this.copy(operand);
  }

  copy(operand: Operand): Operand {
    const code = this.writer.temporary();
    this.writer.plain(`${code} = ${operand.code};`);
    return { code, kind: operand.kind, isStable: true };
  }

  /** An operand made of others that is worked out where it is used. */
  pure(code: string, kind: Kind, ...parts: readonly Operand[]): Operand {
    const operand = { code, kind, isStable: parts.every((part) => part.isStable) };
    return code.length > CODE_LENGTH_MAX ? this.copy(operand) : operand;
  }

  /** A declaration before the function; answers its name. */
  constant(code: string): string {
    const number = this.numbers.get(this.node) as number;
    const name = `k${number}_${this.constants.length}`;
    this.constants.push(`const ${name} = ${code};`);
    return name;
  }

  /** A variable before the function, which all functions of this text share; answers its name. */
  variable(code: string): string {
    const name = `c${this.numbers.get(this.node)}_${this.constants.length}`;
    this.constants.push(`let ${name} = ${code};`);
    return name;
  }

  /** How messages call the value of an expression, as JavaScript. */
  describe(expression: Expression): string {
    const what = this.#description(expression);
    return what === undefined ? 'undefined' : text(what);
  }

  #description(expression: Expression): string | undefined {
    switch (expression.kind) {
      case 'variable': {
        const { name, owner } = expression.variable;
        return `${owner === this.node ? 'local' : 'upvalue'} '${name}'`;
      }
      case 'global':
        return `global '${expression.name}'`;
      case 'index':
        return `field '${expression.key.kind === 'string' ? expression.key.value : '?'}'`;
      case 'paren':
        return this.#description(expression.inner);
      default:
        return undefined;
    }
  }
}

/** A point at a line where nothing is called by a name. */
export function plainPoint(line: number): Point {
  return { line, callee: undefined, isMethod: false, isTail: false };
}

/** Whether closures share a variable that changes. */
export function isBoxed(variable: Variable): boolean {
  return variable.isCaptured && variable.isAssigned;
}

/** Whether a variable is the function's own name, and always will be. */
export function isSelf(node: FunctionNode, variable: Variable): boolean {
  return variable === node.selfVariable && !variable.isAssigned;
}

/** A text of the program as JavaScript. */
export function text(value: string): string {
  return JSON.stringify(value);
}

const NO_LINES: LoadLines = new Map<Expression, number>();

/** Whether Lua's machine has the value as a place that it jumps to, until it is loaded. */
export function isOutcome(expression: Expression): boolean {
  if (expression.kind === 'paren') return isOutcome(expression.inner);
  if (expression.kind === 'binary') return isComparison(expression.operator);
  return expression.kind === 'unary' && expression.operator === 'not' && isJump(expression.operand);
}

function isJump(expression: Expression): boolean {
  if (expression.kind === 'paren') return isJump(expression.inner);
  const isChoice = expression.kind === 'binary' && ['and', 'or'].includes(expression.operator);
  return isChoice || isOutcome(expression);
}
