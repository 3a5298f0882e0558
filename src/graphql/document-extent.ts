import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { fragmentsOf } from './fragments.ts';

/** How large an operation is, its fragments counted at each spread. */
export interface Extent {
  /** Levels of nested fields. */
  readonly depth: number;
  /** Fields and fragments. */
  readonly selections: number;
  readonly aliases: number;
  readonly directives: number;
  /** Fields beyond the first of their response name in one selection set, inline fragments included. */
  readonly repeatedFields: number;
}

const NONE: Extent = { depth: 0, selections: 0, aliases: 0, directives: 0, repeatedFields: 0 };

/** An operation, or a fragment that none of them spreads, and how large it is. */
export interface Measured {
  readonly definition: OperationDefinitionNode | FragmentDefinitionNode;
  readonly extent: Extent;
}

/**
 * Measures a document that is not validated yet: all of it, since all of it is validated, whichever operation is asked for. Each
 * fragment is walked once, however often it is spread; one that spreads itself, which validation refuses, counts as empty there.
 */
export function extentsOf(document: DocumentNode): Measured[] {
  const fragments = fragmentsOf(document);
  const known = new Map<string, Extent>();
  const ofFragment = (name: string): Extent => {
    let extent = known.get(name);
    if (!extent) {
      known.set(name, NONE);
      const fragment = fragments[name];
      extent = fragment ? withDirectives(ofSet(fragment.selectionSet), fragment) : NONE;
      known.set(name, extent);
    }
    return extent;
  };
  const ofSelection = (selection: SelectionNode): Extent => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return ofFragment(selection.name.value);
    const below = selection.selectionSet ? ofSet(selection.selectionSet) : NONE;
    if (selection.kind === Kind.INLINE_FRAGMENT) return below;
    return { ...below, depth: below.depth + 1, aliases: below.aliases + (selection.alias ? 1 : 0) };
  };
  const ofSet = (set: SelectionSetNode): Extent => {
    const own = { ...NONE, selections: set.selections.length, repeatedFields: repeatedIn(set) };
    return set.selections.map((each) => withDirectives(ofSelection(each), each)).reduce(together, own);
  };
  const operations = document.definitions
    .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    .map((definition) => ({ definition, extent: withDirectives(ofSet(definition.selectionSet), definition) }));
  const unused = Object.values(fragments)
    .filter(({ name }) => !known.has(name.value))
    .map((definition) => ({ definition, extent: ofFragment(definition.name.value) }));
  return [...operations, ...unused];
}

/** The root fields of an operation, those of each fragment once. */
export function rootFields(document: DocumentNode, operation: OperationDefinitionNode): FieldNode[] {
  const fragments = fragmentsOf(document);
  const visited = new Set<string>();
  const fieldsIn = (set: SelectionSetNode): FieldNode[] =>
    set.selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [selection];
      if (selection.kind === Kind.INLINE_FRAGMENT) return fieldsIn(selection.selectionSet);
      const { value } = selection.name;
      const fragment = fragments[value];
      if (!fragment || visited.has(value)) return [];
      visited.add(value);
      return fieldsIn(fragment.selectionSet);
    });
  return fieldsIn(operation.selectionSet);
}

/** Whether an operation asks for nothing but the schema: it costs no points, and needs no token where it is allowed. */
export function isIntrospection(document: DocumentNode, operation: OperationDefinitionNode): boolean {
  return rootFields(document, operation).every(({ name }) => name.value.startsWith('__'));
}

function together(one: Extent, other: Extent): Extent {
  return {
    depth: Math.max(one.depth, other.depth),
    selections: one.selections + other.selections,
    aliases: one.aliases + other.aliases,
    directives: one.directives + other.directives,
    repeatedFields: one.repeatedFields + other.repeatedFields,
  };
}

function withDirectives(extent: Extent, { directives = [] }: { readonly directives?: readonly unknown[] }): Extent {
  return directives.length === 0 ? extent : { ...extent, directives: extent.directives + directives.length };
}

function repeatedIn(set: SelectionSetNode): number {
  const names = responseNames(set);
  return names.length - new Set(names).size;
}

function responseNames(set: SelectionSetNode): string[] {
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [(selection.alias ?? selection.name).value];
    // What is repeated within an inline fragment alone is counted there.
    return selection.kind === Kind.INLINE_FRAGMENT ? [...new Set(responseNames(selection.selectionSet))] : [];
  });
}
