import {
  aboutKinds,
  aboutVariables,
  optionTable,
  variableNames,
  type VariableName,
} from '../../widgets/about.ts';
import { attributesFor, kinds, type AttributeName, type Kind } from '../../widgets/kinds.ts';

export const ways = ['element', 'frame', 'module'] as const;
export type Way = (typeof ways)[number];
export const views = ['page', 'phone', 'rtl'] as const;
export type View = (typeof views)[number];
export const grounds = ['auto', 'light', 'dark'] as const;
export type Ground = (typeof grounds)[number];

/** What somebody put together; texts are as they were typed, and may be wrong. */
export interface Setup {
  readonly kind: Kind;
  /** Those left out are not there; a flag that is set is an empty text. Those of other kinds are kept for them. */
  readonly attributes: Readonly<Partial<Record<AttributeName, string>>>;
  readonly variables: Readonly<Partial<Record<VariableName, string>>>;
  /** Pixels; empty for what suits the kind. */
  readonly width: string;
  readonly height: string;
  /** Of the page that it is for. */
  readonly origin: string;
  readonly way: Way;
  /** Whether the page names the file of this version, and its hash. */
  readonly isPinned: boolean;
  /** What it is looked at in. */
  readonly view: View;
  readonly ground: Ground;
}

/** Where the script comes from says which server it is, and a worker is of no use but on its own origin. */
const notHere: readonly AttributeName[] = ['server', 'worker'];

export function attributesHere(kind: Kind): AttributeName[] {
  return attributesFor(kind).filter((name) => !notHere.includes(name));
}

export const freshSetup: Setup = {
  kind: 'depth',
  attributes: {},
  variables: {},
  width: '',
  height: '',
  origin: '',
  way: 'element',
  isPinned: false,
  view: 'page',
  ground: 'auto',
};

const VARIABLE = '--depthwire-';
const own = ['width', 'height', 'origin'] as const;
const choices = { kind: kinds, way: ways, view: views, ground: grounds } as const;

/** Whether an attribute says what would be so without it. */
function isDefault(name: AttributeName, text: string): boolean {
  const { fallback, read } = optionTable[name];
  return typeof fallback === 'boolean' ? false : JSON.stringify(read(text)) === JSON.stringify(fallback);
}

const isTyped = (name: AttributeName, text: string | undefined): text is string =>
  text !== undefined && (text.trim() !== '' || typeof optionTable[name].fallback === 'boolean');

/** Attributes of the kind that say something, rightly or not. */
function typedIn({ kind, attributes }: Setup): [AttributeName, string][] {
  return attributesHere(kind).flatMap((name): [AttributeName, string][] => {
    const text = attributes[name];
    return isTyped(name, text) ? [[name, text]] : [];
  });
}

/** What the page has to write: what is right, and is not so anyway. */
export function attributesIn(setup: Setup): [AttributeName, string][] {
  return typedIn(setup)
    .filter(([name, text]) => optionTable[name].read(text) !== undefined && !isDefault(name, text))
    .map(([name, text]) => [name, text.trim()]);
}

/** @param isValue whether it is a value of a CSS property */
export function variablesIn(
  { variables }: Setup,
  isValue: (property: string, text: string) => boolean,
): [string, string][] {
  return variableNames.flatMap((name): [string, string][] => {
    const text = variables[name]?.trim() ?? '';
    const { fallback, like } = aboutVariables[name];
    return text !== '' && text !== fallback && isDeclarable(text) && isValue(like, text)
      ? [[VARIABLE + name, text]]
      : [];
  });
}

/** Whether it stays within its declaration, and the declaration within its element. */
function isDeclarable(text: string): boolean {
  return !/[;{}<>\\]|\/\*/.test(text);
}

/** Where somebody does not say which page it is for. */
export const EXAMPLE_ORIGIN = 'https://www.example.com';

/** Between these an embed makes sense, pixels. */
export const LEAST_PX = 24;
export const MOST_PX = 4_000;

function pixelsOf(text: string): number | null {
  const number = Number(text);
  return /^\d+$/.test(text.trim()) && number >= LEAST_PX && number <= MOST_PX ? number : null;
}

/** Pixels; without a width it is as wide as its place. */
export function sizeOf({ kind, width, height }: Setup): {
  readonly width: number | null;
  readonly height: number;
} {
  const { size } = aboutKinds[kind];
  return { width: pixelsOf(width) ?? size.width ?? null, height: pixelsOf(height) ?? size.height };
}

/** What is wrong: with an attribute, what was expected; else of which kind the mistake is. */
export type Problem =
  | { readonly is: 'option'; readonly expected: string }
  | { readonly is: 'secret' | 'missing' | 'style' | 'pixels' | 'origin' };

export type Problems = Readonly<
  Partial<Record<AttributeName | VariableName | (typeof own)[number], Problem>>
>;

export function problemsOf(setup: Setup, isValue: (property: string, text: string) => boolean): Problems {
  const found: [string, Problem][] = [];
  for (const [name, text] of typedIn(setup)) {
    const { expected, read } = optionTable[name];
    if (read(text.trim()) !== undefined) continue;
    const isSecret = name === 'key' && text.trim().startsWith('dw_sk_');
    found.push([name, isSecret ? { is: 'secret' } : { is: 'option', expected }]);
  }
  const missing = needOf(setup.kind);
  if (missing !== null && !isTyped(missing, setup.attributes[missing]))
    found.push([missing, { is: 'missing' }]);
  for (const name of variableNames) {
    const text = setup.variables[name]?.trim() ?? '';
    if (text !== '' && !(isDeclarable(text) && isValue(aboutVariables[name].like, text)))
      found.push([name, { is: 'style' }]);
  }
  for (const name of ['width', 'height'] as const)
    if (setup[name].trim() !== '' && pixelsOf(setup[name]) === null) found.push([name, { is: 'pixels' }]);
  if (setup.origin.trim() !== '' && originOf(setup) === null) found.push(['origin', { is: 'origin' }]);
  return Object.fromEntries(found);
}

/** Without which attribute a kind shows nothing. */
export function needOf(kind: Kind): 'instrument' | 'instruments' | null {
  if (kind === 'status') return null;
  return attributesHere(kind).includes('instruments') ? 'instruments' : 'instrument';
}

/** As a browser sends it; null where none is said. */
export function originOf({ origin }: Setup): string | null {
  const url = URL.parse(origin.trim());
  return url && /^https?:$/.test(url.protocol) && url.pathname === '/' && !url.search && !url.username
    ? url.origin
    : null;
}

/** What it shows, by ids. */
export function instrumentsIn(setup: Setup): string[] {
  const { instrument, instruments } = Object.fromEntries(attributesIn(setup));
  return (instruments ?? instrument ?? '').split(/[\s,]+/).filter(Boolean);
}

/** The same for another kind: what one shows is what several begin with. */
export function withKind(setup: Setup, kind: Kind): Setup {
  const { instrument, instruments } = setup.attributes;
  const [first] = instruments?.split(/[\s,]+/).filter(Boolean) ?? [];
  const attributes = { ...setup.attributes };
  if (!instrument && first) attributes.instrument = first;
  if (!instruments && instrument) attributes.instruments = instrument;
  return { ...setup, kind, attributes, width: '', height: '' };
}

/** As it is written into an address: colons and commas can be read there as they are. */
export function queryText(pairs: Iterable<readonly [string, string]>): string {
  const query = new URLSearchParams([...pairs].map(([name, text]) => [name, text]));
  return query.toString().replaceAll('%3A', ':').replaceAll('%2C', ',');
}

/** The setup for an address; a key that is none is not in it, it may be a secret one. */
export function setupToQuery(setup: Setup): string {
  const chosen = Object.keys(choices).map((name) => name as keyof typeof choices);
  return queryText([
    ...chosen
      .filter((name) => name === 'kind' || setup[name] !== freshSetup[name])
      .map((name) => [name, setup[name]] as const),
    ...typedIn(setup).filter(
      ([name, text]) => name !== 'key' || optionTable.key.read(text.trim()) !== undefined,
    ),
    ...variableNames.flatMap((name) => {
      const text = setup.variables[name]?.trim();
      return text ? [[VARIABLE + name, text] as const] : [];
    }),
    ...own.flatMap((name) => (setup[name].trim() === '' ? [] : [[name, setup[name].trim()] as const])),
    ...(setup.isPinned ? [['pinned', ''] as const] : []),
  ]);
}

export function setupFromQuery(query: Pick<URLSearchParams, 'get' | 'has'>): Setup {
  const chosen = Object.entries(choices).flatMap(([name, values]) => {
    const text = query.get(name);
    return (values as readonly (string | null)[]).includes(text) ? [[name, text]] : [];
  });
  const textsOf = (names: readonly string[], prefix = '') =>
    Object.fromEntries(
      names.flatMap((name) => {
        const text = query.get(prefix + name);
        return text === null ? [] : [[name, text]];
      }),
    );
  return {
    ...freshSetup,
    ...Object.fromEntries(chosen),
    ...textsOf(own),
    attributes: textsOf(Object.keys(optionTable)),
    variables: textsOf(variableNames, VARIABLE),
    isPinned: query.has('pinned'),
  };
}
