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
  /**
   * Fields beyond the first of their response name in one selection set, inline fragments included:
   * those of a fragment count again in each set around it, since validation compares them with one
   * another there, too.
   */
  readonly repeatedFields: number;
}

const NONE: Extent = { depth: 0, selections: 0, aliases: 0, directives: 0, repeatedFields: 0 };

/** An operation, or a fragment that none of them spreads, and how large it is. */
export interface Measured {
  readonly definition: OperationDefinitionNode | FragmentDefinitionNode;
  readonly extent: Extent;
}

/**
 * Measures a document that is not validated yet: all of it, since all of it is validated, whichever
 * operation is asked for. Each fragment is walked once, however often it is spread; one that
 * spreads itself, which validation refuses, counts as empty there.
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
  const ofSelection = (selection: SelectionNode, fields: FieldsOfSet): Extent => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return ofFragment(selection.name.value);
    if (selection.kind === Kind.INLINE_FRAGMENT) return ofSet(selection.selectionSet, fields.inner());
    fields.add((selection.alias ?? selection.name).value);
    const below = selection.selectionSet ? ofSet(selection.selectionSet) : NONE;
    return { ...below, depth: below.depth + 1, aliases: below.aliases + (selection.alias ? 1 : 0) };
  };
  const ofSet = (set: SelectionSetNode, fields = new FieldsOfSet()): Extent => {
    const below = set.selections.map((each) => withDirectives(ofSelection(each, fields), each));
    const own = { ...NONE, selections: set.selections.length, repeatedFields: fields.repeated() };
    return below.reduce(together, own);
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
  const found: FieldNode[] = [];
  const visit = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) found.push(selection);
      else if (selection.kind === Kind.INLINE_FRAGMENT) visit(selection.selectionSet);
      else {
        const { value } = selection.name;
        const fragment = fragments[value];
        if (!fragment || visited.has(value)) continue;
        visited.add(value);
        visit(fragment.selectionSet);
      }
    }
  };
  visit(operation.selectionSet);
  return found;
}

/**
 * Whether an operation asks for nothing but the schema: it needs no token where it is allowed, and
 * is free without one.
 */
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

/**
 * The fields of a selection set, those of its inline fragments included. Names go up into the
 * larger of two sets: with a set of its own on every level, nested fragments would take time by the
 * square of their depth.
 */
class FieldsOfSet {
  #names = new Set<string>();
  #count = 0;
  readonly #inner: FieldsOfSet[] = [];

  add(responseName: string): void {
    this.#count++;
    this.#names.add(responseName);
  }

  /** Those of an inline fragment of the set. */
  inner(): FieldsOfSet {
    const fields = new FieldsOfSet();
    this.#inner.push(fields);
    return fields;
  }

  /** How many are beyond the first of their name. Asked once, when all are added. */
  repeated(): number {
    for (const inner of this.#inner) {
      const isLarger = inner.#names.size > this.#names.size;
      const [larger, smaller] = isLarger ? [inner.#names, this.#names] : [this.#names, inner.#names];
      for (const name of smaller) larger.add(name);
      this.#names = larger;
      this.#count += inner.#count;
    }
    return this.#count - this.#names.size;
  }
}
