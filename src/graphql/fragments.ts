import {
  type ASTNode,
  type ASTVisitor,
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  visit,
  visitInParallel,
} from 'graphql';

/** Fragments by their names. */
export type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;

export function fragmentsOf({ definitions }: DocumentNode): Fragments {
  const fragments: Record<string, FragmentDefinitionNode> = Object.create(null);
  for (const part of definitions) if (part.kind === Kind.FRAGMENT_DEFINITION) fragments[part.name.value] = part;
  return fragments;
}

/**
 * Visits a node and, once each, the fragments that are spread within. BREAK ends the visit of a
 * part, not of the others.
 */
export function visitSpread(node: ASTNode, fragments: Fragments, visitor: ASTVisitor): void {
  const waiting = [node];
  const spread = new Set<string>();
  const spreads: ASTVisitor = {
    FragmentSpread({ name: { value: name } }) {
      const fragment = fragments[name];
      if (!fragment || spread.has(name)) return;
      spread.add(name);
      waiting.push(fragment);
    },
  };
  for (const part of waiting) visit(part, visitInParallel([spreads, visitor]));
}
