/** What the parts of the emitter share about the function that is being written. */
import { CodeWriter } from './code-writer.ts';
import type { Point } from './prototype.ts';
import type { Expression, FunctionNode, Kind, Statement, Variable } from './syntax.ts';

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

/** The parts of the emitter that are needed inside each other. */
export interface Emitters {
  readonly expression: (context: EmitContext, expression: Expression) => Operand;
  readonly statements: (context: EmitContext, statements: readonly Statement[]) => void;
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
  /** Labels of the loops around, the innermost last. */
  readonly loops: string[] = [];
  readonly #emitters: Emitters;
  readonly #upvalues = new Map<Variable, string>();

  constructor(
    node: FunctionNode,
    numbers: ReadonlyMap<FunctionNode, number>,
    form: { readonly isResuming: boolean; readonly emitters: Emitters },
  ) {
    this.#emitters = form.emitters;
    this.node = node;
    this.numbers = numbers;
    this.writer = new CodeWriter(form.isResuming, node.line);
    for (const [index, variable] of node.upvalues.entries()) {
      this.#upvalues.set(variable, isSelf(node, variable) ? 'self' : `u${index}`);
    }
  }

  /** The value of an expression; of a call the first result. */
  expression(expression: Expression): Operand {
    return this.#emitters.expression(this, expression);
  }

  statements(statements: readonly Statement[]): void {
    this.#emitters.statements(this, statements);
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
