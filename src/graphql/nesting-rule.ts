import {
  type ASTVisitor,
  BREAK,
  type DefinitionNode,
  type DocumentNode,
  GraphQLError,
  type ValidationContext,
  visit,
} from 'graphql';

/**
 * Nodes of a document within one another. A level of fields takes two; LIMIT_DEPTH allows 100
 * levels at most.
 */
export const MAX_NESTING = 500;

/** What is said of a document that is nested too deep, whoever notices. */
export const TOO_NESTED = `The document is nested too deep: at most ${MAX_NESTING} levels of lists, objects, types and selections are read.`;

/**
 * Refuses documents nested so deep that what reads them by recursion, as other rules and graphql-js
 * do, might overflow the stack. That would look like a fault of ours.
 */
export function nestingRule(context: ValidationContext): ASTVisitor {
  return {
    Document(document) {
      if (!isTooNested(document)) return;
      context.reportError(new GraphQLError(TOO_NESTED));
      // All rules walk together: nothing of it remains for the others. A document that is refused
      // is not kept.
      (document.definitions as DefinitionNode[]).length = 0;
    },
  };
}

/** `visit` itself does not recurse. */
function isTooNested(document: DocumentNode): boolean {
  let [depth, deepest] = [0, 0];
  visit(document, {
    enter() {
      deepest = Math.max(deepest, ++depth);
      return deepest > MAX_NESTING ? BREAK : undefined;
    },
    leave() {
      depth--;
    },
  });
  return deepest > MAX_NESTING;
}
