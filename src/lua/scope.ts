/** Which variable a name means, while a text is parsed: blocks and functions inside each other. */
import type { FunctionNode, Variable } from './syntax.ts';

/** Source: Lua 5.1, luaconf.h, LUAI_MAXVARS. */
export const LOCALS_MAX = 200;
/** Source: Lua 5.1, luaconf.h, LUAI_MAXUPVALUES. */
export const UPVALUES_MAX = 60;

interface FunctionScope {
  readonly node: FunctionNode;
  readonly around: FunctionScope | undefined;
  /** What is visible, the innermost last. */
  readonly actives: Variable[];
  readonly upvalues: Set<Variable>;
  /** Loops around the place where the parser is. */
  loops: number;
  usesVarargs: boolean;
}

export class Scope {
  /** All functions of the text, outer ones first. */
  readonly functions: FunctionNode[] = [];
  #current: FunctionScope | undefined = undefined;

  get node(): FunctionNode {
    return this.#function.node;
  }

  get loops(): number {
    return this.#function.loops;
  }

  set loops(count: number) {
    this.#function.loops = count;
  }

  get localCount(): number {
    return this.#function.actives.length;
  }

  get usesVarargs(): boolean {
    return this.#function.usesVarargs;
  }

  get #function(): FunctionScope {
    return this.#current as FunctionScope;
  }

  openFunction(line: number): FunctionNode {
    const node: FunctionNode = {
      parent: this.#current?.node,
      line,
      parameters: [],
      isVararg: false,
      argVariable: undefined,
      upvalues: [],
      selfVariable: undefined,
      slotCount: 0,
      body: [],
      endLine: line,
    };
    this.functions.push(node);
    this.#current = {
      node,
      around: this.#current,
      actives: [],
      upvalues: new Set(),
      loops: 0,
      usesVarargs: false,
    };
    return node;
  }

  closeFunction(): void {
    const { node, upvalues, around } = this.#function;
    node.upvalues.push(...upvalues);
    this.#current = around;
  }

  noteVarargs(): void {
    this.#function.usesVarargs = true;
  }

  /** A variable that is not visible yet; its slot follows those that are, and `offset` others that will be. */
  newVariable(name: string, offset = 0): Variable {
    const { node, actives } = this.#function;
    const slot = actives.length + offset;
    if (slot >= node.slotCount) node.slotCount = slot + 1;
    return { name, slot, owner: node, isCaptured: false, isAssigned: false, kind: 'any' };
  }

  activate(...variables: readonly Variable[]): void {
    this.#function.actives.push(...variables);
  }

  /** Forgets the variables that were made since there were `count`. */
  leaveBlock(count: number): void {
    this.#function.actives.length = count;
  }

  /** The variable that a name means; undefined for a global. Throws RangeError when a function uses too many of others. */
  resolve(name: string): Variable | undefined {
    for (let scope = this.#current; scope !== undefined; scope = scope.around) {
      for (let at = scope.actives.length - 1; at >= 0; at--) {
        const variable = scope.actives[at] as Variable;
        if (variable.name !== name) continue;
        if (scope !== this.#current) this.#capture(variable, scope);
        return variable;
      }
    }
    return undefined;
  }

  /** The first function that uses more variables of others than allowed. */
  get overfull(): FunctionNode | undefined {
    for (let scope = this.#current; scope !== undefined; scope = scope.around) {
      if (scope.upvalues.size > UPVALUES_MAX) return scope.node;
    }
    return undefined;
  }

  #capture(variable: Variable, owner: FunctionScope): void {
    variable.isCaptured = true;
    for (let scope = this.#current; scope !== owner && scope !== undefined; scope = scope.around) {
      scope.upvalues.add(variable);
    }
  }
}
