/** All commands of a node, assembled from their families. */
import type { CommandSpec } from './spec.ts';

/** Every command that a node has. */
export const commandSpecs: readonly CommandSpec[] = [];
