import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isLeafType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { argumentValue, literal, wrongValue } from './argument-values.ts';
import { Random } from './random.ts';

export type Variables = Readonly<Record<string, unknown>>;

export interface GeneratedOperation {
  readonly document: string;
  readonly operationName: string;
  /** Sets of variables to execute it with, some of which do not fit. */
  readonly variables: readonly Variables[];
}

/**
 * What differs from one execution to the next: counters of the process and what the minute has
 * left.
 */
export const MOMENTARY: ReadonlySet<string> = new Set([
  ...['PerformanceReport.resources', 'PerformanceReport.operations', 'PerformanceReport.tenants'],
  ...['RateLimit.remaining', 'RateLimit.cost', 'TenantRateLimit.remaining'],
]);

/** Few, so that they are chosen again; some are other fields' names. */
const ALIASES = ['a', 'b', 'c', 'id', 'nodes', 'name'];
/** They look like paths of others, or are no good as properties. */
const ODD_ALIASES = ['a_b', 'b_a', 'a_a', 'idx0', 'constructor', '__proto__'];
const ODD_VARIABLES = ['__proto__', 'toString', 'constructor', 'hasOwnProperty'];
const FLAGS = ['s', 't', 'u'];
const MAX_FRAGMENTS = 4;
const MAX_FIELDS = 14;
/** Of one set of selections. */
const MAX_SELECTIONS = 4;
const LIST_SIZES = ['first', 'last', 'limit', 'pageSize', 'days'];

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly inputType: GraphQLInputType | 'flag';
  readonly argument: string;
  readonly defaultText?: string | undefined;
}

/** A part of the document, with what the whole must define for it. */
class Part {
  text = '';
  readonly variables = new Set<string>();
  readonly spreads = new Set<Part>();

  uses(): Set<string> {
    const below = [...this.spreads].flatMap((part) => [...part.uses()]);
    return new Set([...this.variables, ...below]);
  }
}

interface Fragment {
  readonly name: string;
  readonly on: GraphQLObjectType;
  readonly part: Part;
}

/**
 * A valid operation over the whole schema, the same for the same seed: with fragments that are used
 * again and nested, conditions on everything, aliases, merged fields, variables with and without
 * defaults, and arguments that are refused.
 */
export function generateOperation(schema: GraphQLSchema, seed: number): GeneratedOperation {
  return new Generator(schema, new Random(seed)).document();
}

class Generator {
  readonly #variables = new Map<string, Variable>();
  readonly #fragments: Fragment[] = [];
  /**
   * What a response name stands for in a type: the same everywhere, so that everything can be
   * merged.
   */
  readonly #entries = new Map<string, { readonly field: string; readonly text: string; readonly uses: Set<string> }>();
  #fieldsLeft = MAX_FIELDS;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly random: Random,
  ) {}

  document(): GeneratedOperation {
    const isMutation = this.random.chance(0.03);
    const root = isMutation ? this.schema.getMutationType() : this.schema.getQueryType();
    if (!root) throw new Error('the schema has no such operations');
    const names = this.random.chance(0.15) ? ['A', 'B'] : ['A'];
    const operations = names.map((name) => {
      const part = new Part();
      const body = this.#selections(part, root, 0);
      return { name, part, body };
    });
    const texts = operations.map(({ name, part, body }) => {
      const definitions = [...part.uses()].sort().map((used) => this.#definition(used));
      const variables = definitions.length > 0 ? `(${definitions.join(', ')})` : '';
      return `${isMutation ? 'mutation' : 'query'} ${name}${variables} ${body}`;
    });
    const asked = this.random.pick(operations);
    const fragments = this.#fragments.map(({ name, on, part }) => `fragment ${name} on ${on.name} ${part.text}`);
    const used = [...asked.part.uses()].sort();
    const sets = used.length === 0 ? [{}] : [this.#values(used), this.#values(used)];
    return { document: [...texts, ...fragments].join('\n'), operationName: asked.name, variables: sets };
  }

  #selections(part: Part, type: GraphQLObjectType, depth: number): string {
    const count = this.#fieldsLeft > 0 ? this.random.integer(1, MAX_SELECTIONS) : 1;
    const texts = Array.from({ length: count }, () => this.#selection(part, type, depth));
    return `{ ${texts.join(' ')} }`;
  }

  #selection(part: Part, type: GraphQLObjectType, depth: number): string {
    const kind = this.random.next();
    if (kind < 0.14) {
      const condition = this.random.chance(0.6) ? ` on ${type.name}` : '';
      return `...${condition}${this.#directives(part)} ${this.#selections(part, type, depth)}`;
    }
    if (kind < 0.34) return this.#spread(part, type, depth) ?? this.#field(part, type, depth);
    return this.#field(part, type, depth);
  }

  #spread(part: Part, type: GraphQLObjectType, depth: number): string | undefined {
    const known = this.#fragments.filter(({ on }) => on === type);
    let fragment = known.length > 0 && this.random.chance(0.7) ? this.random.pick(known) : undefined;
    if (!fragment && this.#fragments.length < MAX_FRAGMENTS && this.#fieldsLeft > 0) {
      const made = { name: '', on: type, part: new Part() };
      made.part.text = this.#selections(made.part, type, depth);
      made.name = `F${this.#fragments.length}`;
      this.#fragments.push(made);
      fragment = made;
    }
    if (!fragment) return undefined;
    part.spreads.add(fragment.part);
    return `...${fragment.name}${this.#directives(part)}`;
  }

  #field(part: Part, type: GraphQLObjectType, depth: number): string {
    if (this.random.chance(0.06)) return `__typename${this.#directives(part)}`;
    const { responseName, field } = this.#entry(part, type, depth);
    const entry = this.#entries.get(`${type.name}.${responseName}`);
    const named = getNamedType(field.type);
    this.#fieldsLeft--;
    const directives = this.#directives(part);
    const below = isObjectType(named) ? ` ${this.#selections(part, named, depth + 1)}` : '';
    return `${entry?.text ?? ''}${directives}${below}`;
  }

  /** One that is selected already, to be merged, or a new one. */
  #entry(part: Part, type: GraphQLObjectType, depth: number) {
    const prefix = `${type.name}.`;
    const fields = type.getFields();
    const known = [...this.#entries].filter(
      ([name, { field }]) => name.startsWith(prefix) && this.#mayStand(type, fields[field], depth),
    );
    const again = known.length > 0 && this.random.chance(0.35) ? this.random.pick(known) : undefined;
    const candidates = Object.values(fields).filter((candidate) => this.#mayStand(type, candidate, depth));
    const field = again ? (fields[again[1].field] as GraphQLField<unknown, unknown>) : this.random.pick(candidates);
    const aliases = this.random.chance(0.06) ? ODD_ALIASES : ALIASES;
    const wanted = this.random.chance(0.25) ? this.random.pick(aliases) : field.name;
    const responseName = again ? again[0].slice(prefix.length) : wanted;
    const key = prefix + responseName;
    let entry = this.#entries.get(key);
    if (entry && entry.field !== field.name) return this.#taken(part, type, key);
    if (!entry) {
      const uses = new Set<string>();
      const alias = responseName === field.name ? '' : `${responseName}: `;
      entry = { field: field.name, text: `${alias}${field.name}${this.#arguments(field, uses)}`, uses };
      this.#entries.set(key, entry);
    }
    for (const name of entry.uses) part.variables.add(name);
    return { responseName, field };
  }

  /** The name means another field here already: that one it is. */
  #taken(part: Part, type: GraphQLObjectType, key: string) {
    const entry = this.#entries.get(key);
    const field = entry && type.getFields()[entry.field];
    if (!entry || !field) throw new Error(`${key} is not known`);
    for (const name of entry.uses) part.variables.add(name);
    return { responseName: key.slice(type.name.length + 1), field };
  }

  #mayStand(type: GraphQLObjectType, field: GraphQLField<unknown, unknown> | undefined, depth: number): boolean {
    if (!field || MOMENTARY.has(`${type.name}.${field.name}`)) return false;
    if (isLeafType(getNamedType(field.type))) return true;
    const hasLeaf = Object.values(type.getFields()).some(({ type }) => isLeafType(getNamedType(type)));
    return (depth < 5 && this.#fieldsLeft > 0) || !hasLeaf;
  }

  #arguments(field: GraphQLField<unknown, unknown>, uses: Set<string>): string {
    const sizes = field.args.filter(({ name }) => LIST_SIZES.includes(name));
    const size = sizes.length > 0 && this.random.chance(0.9) ? this.random.pick(sizes) : undefined;
    const chosen = field.args.filter((argument) => {
      if (isNonNullType(argument.type) && argument.defaultValue === undefined) return true;
      return sizes.includes(argument) ? argument === size || this.random.chance(0.02) : this.random.chance(0.2);
    });
    const texts = chosen.map((argument) => `${argument.name}: ${this.#argument(argument, uses)}`);
    return texts.length > 0 ? `(${texts.join(', ')})` : '';
  }

  #argument(argument: GraphQLArgument, uses: Set<string>): string {
    if (this.random.chance(0.4)) return `$${this.#variable(argument, uses)}`;
    const nullable = getNullableType(argument.type);
    const value = argumentValue(this.random, argument.name, argument.type);
    if (!isInputObjectType(nullable) || typeof value !== 'object' || value === null || this.random.chance(0.5))
      return literal(argument.type, value);
    const fields = Object.keys(value).map((name) => {
      const field = nullable.getFields()[name];
      if (!field) throw new Error(`${nullable.name} has no field ${name}`);
      const part = { name, type: field.type, defaultValue: field.defaultValue };
      const text = this.random.chance(0.5)
        ? `$${this.#variable(part, uses)}`
        : literal(field.type, (value as Record<string, unknown>)[name]);
      return `${name}: ${text}`;
    });
    return `{${fields.join(', ')}}`;
  }

  #variable(place: Pick<GraphQLArgument, 'name' | 'type' | 'defaultValue'>, uses: Set<string>): string {
    const odd = this.random.chance(0.04) ? this.random.pick(ODD_VARIABLES) : undefined;
    const name = odd && !this.#variables.has(odd) ? odd : `v${this.#variables.size}`;
    const nullable = getNullableType(place.type);
    const withDefault = this.random.chance(0.3);
    const mayBeNull = !isNonNullType(place.type) || place.defaultValue !== undefined || withDefault;
    const isRequired = !mayBeNull || this.random.chance(0.3);
    // A default of null would not do where null is not allowed.
    const value = withDefault ? argumentValue(this.random, place.name, nullable) : undefined;
    const usable = withDefault && value !== null;
    const type = isRequired || (withDefault && !usable && isNonNullType(place.type)) ? `${nullable}!` : `${nullable}`;
    this.#variables.set(name, {
      name,
      type,
      inputType: place.type,
      argument: place.name,
      defaultText: usable ? literal(nullable, value) : undefined,
    });
    uses.add(name);
    return name;
  }

  #directives(part: Part): string {
    if (!this.random.chance(0.3)) return '';
    const both = this.random.chance(0.15);
    const first = this.random.pick(['skip', 'include']);
    const names = both ? [first, first === 'skip' ? 'include' : 'skip'] : [first];
    return names.map((name) => ` @${name}(if: ${this.#condition(part, name)})`).join('');
  }

  #condition(part: Part, directive: string): string {
    if (this.random.chance(0.25))
      return String(directive === 'skip' ? this.random.chance(0.3) : this.random.chance(0.7));
    const name = this.random.pick(FLAGS);
    if (!this.#variables.has(name)) {
      const kinds = [
        { type: 'Boolean!' },
        { type: 'Boolean!' },
        { type: 'Boolean!', defaultText: 'true' },
        { type: 'Boolean', defaultText: 'false' },
        { type: 'Boolean', defaultText: 'true' },
      ];
      this.#variables.set(name, { name, inputType: 'flag', argument: name, ...this.random.pick(kinds) });
    }
    part.variables.add(name);
    return `$${name}`;
  }

  #definition(name: string): string {
    const { type, defaultText } = this.#known(name);
    return `$${name}: ${type}${defaultText === undefined ? '' : ` = ${defaultText}`}`;
  }

  #values(names: readonly string[]): Variables {
    const values: Record<string, unknown> = {};
    const isWrong = this.random.chance(0.08) ? this.random.pick(names) : undefined;
    for (const name of names) {
      const { type, inputType, argument, defaultText } = this.#known(name);
      const mayBeAbsent = !type.endsWith('!') || defaultText !== undefined;
      if (mayBeAbsent && this.random.chance(0.3)) continue;
      values[name] = name === isWrong ? this.#wrong(inputType) : this.#fitting(argument, type, inputType);
    }
    return this.random.chance(0.2) ? Object.fromEntries(Object.entries(values).toReversed()) : values;
  }

  #fitting(argument: string, type: string, inputType: Variable['inputType']): unknown {
    if (inputType === 'flag') return this.random.chance(0.5);
    const value = argumentValue(this.random, argument, inputType);
    return value === null && type.endsWith('!') ? this.#fitting(argument, type, inputType) : value;
  }

  #wrong(inputType: Variable['inputType']): unknown {
    return inputType === 'flag' ? this.random.pick([null, 'yes', 1]) : wrongValue(this.random, inputType);
  }

  #known(name: string): Variable {
    const variable = this.#variables.get(name);
    if (!variable) throw new Error(`$${name} is not known`);
    return variable;
  }
}
