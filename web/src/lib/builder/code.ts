import { crc32 } from '@depthwire/shared';
import { aboutKinds } from '../../widgets/about.ts';
import {
  attributesIn,
  EXAMPLE_ORIGIN,
  instrumentsIn,
  originOf,
  queryText,
  sizeOf,
  variablesIn,
  type Setup,
  type Way,
} from './setup.ts';

/** Where a page gets the widgets from. */
export interface Source {
  /** Of the server, with its last slash: `https://data.example.com/`. */
  readonly server: string;
  /** The version and the hash of its first file; null until they are known, or where the page shall take the newest. */
  readonly pinned: { readonly version: string; readonly integrity: string } | null;
  /** Whether it is a value of a CSS property. */
  readonly isValue: (property: string, text: string) => boolean;
}

/** Within double quotes. */
export function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

function tag(name: string, attributes: readonly (readonly [string, string])[]): string {
  const written = attributes.map(([key, text]) => (text === '' ? key : `${key}="${escapeAttribute(text)}"`));
  return `<${[name, ...written].join(' ')}></${name}>`;
}

export function elementCode(setup: Setup, source: Source): string {
  const name = classOf(declarationsOf(setup, source));
  return tag(`depthwire-${setup.kind}`, [['class', name], ...attributesIn(setup)]);
}

/** Its size, and what else the page's style says of it. */
export function styleCode(setup: Setup, source: Source): string {
  const declarations = declarationsOf(setup, source);
  return `.${classOf(declarations)} { ${declarations} }`;
}

function declarationsOf(setup: Setup, { isValue }: Source): string {
  const { width, height } = sizeOf(setup);
  return [
    ...(width === null ? [] : [`width: ${width}px`, 'max-width: 100%']),
    `height: ${height}px`,
    ...variablesIn(setup, isValue).map(([name, text]) => `${name}: ${text}`),
  ].join('; ');
}

/** Of the rule, so that several copied widgets of a page, of one kind too, each keep their own. */
function classOf(declarations: string): string {
  return `dw-${crc32(new TextEncoder().encode(declarations)).toString(16).padStart(8, '0')}`;
}

/** Three lines for any HTML file. */
export function pageCode(setup: Setup, source: Source): string {
  const { server, pinned } = source;
  const script = tag('script', [
    ['type', 'module'],
    ['src', pinned ? `${server}widgets/${pinned.version}/widgets.js` : `${server}widgets.js`],
    ...(pinned
      ? ([
          ['integrity', pinned.integrity],
          ['crossorigin', 'anonymous'],
        ] as const)
      : []),
  ]);
  return [script, `<style>${styleCode(setup, source)}</style>`, elementCode(setup, source)].join('\n');
}

export function frameUrl(setup: Setup, { server, isValue }: Source): string {
  const query = queryText([...attributesIn(setup), ...variablesIn(setup, isValue)]);
  return `${server}embed/${setup.kind}${query && `?${query}`}`;
}

export function frameCode(setup: Setup, source: Source): string {
  const { width, height } = sizeOf(setup);
  const shown = instrumentsIn(setup);
  return tag('iframe', [
    ['src', frameUrl(setup, source)],
    ['title', [aboutKinds[setup.kind].title, ...shown.slice(0, 3)].join(' ')],
    ['width', width === null ? '100%' : String(width)],
    ['height', String(height)],
    ['loading', 'lazy'],
    ['sandbox', 'allow-scripts allow-same-origin allow-popups'],
    // The edge that browsers draw; a style attribute a strict policy would not let through.
    ['frameborder', '0'],
  ]);
}

export function installCode({ server }: Source): string {
  return `npm install ${server}widgets/depthwire-widgets.tgz`;
}

export function moduleCode({ server }: Source): string {
  return `import { defineWidgets } from '@depthwire/widgets';\n\ndefineWidgets({ server: '${server}' });`;
}

/** What the policy of a page with such an embed has to permit, one directive a line. */
export function policyCode(way: Way, { server }: Source): string {
  const { origin } = new URL(server);
  const socket = origin.replace(/^http/, 'ws');
  const connect = `connect-src ${origin} ${socket}`;
  const directives = {
    element: [`script-src ${origin}`, connect, "style-src 'self'", "require-trusted-types-for 'script'"],
    frame: [`frame-src ${origin}`],
    module: ["script-src 'self'", connect, "style-src 'self'", "require-trusted-types-for 'script'"],
  } as const satisfies Record<Way, readonly string[]>;
  return `Content-Security-Policy:\n  ${["default-src 'none'", ...directives[way]].join(';\n  ')}`;
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
/** Of a publishable key, where its entry says nothing. */
const LEVELS = 20;
const CADENCE_MS = 100;

/**
 * The entry of the server's configuration with which a page elsewhere may show it, and nothing else; null as long as no
 * instrument is chosen: an entry for all of them would permit more than anybody asked for.
 */
export function configCode(setup: Setup): string | null {
  const { topics, levels = LEVELS } = aboutKinds[setup.kind];
  const { key, cadence } = Object.fromEntries(attributesIn(setup));
  const instruments = instrumentsIn(setup);
  if (instruments.length === 0) return null;
  return [
    'access:',
    '  publishableKeys:',
    '    - id: my-page',
    `      key: ${key ?? 'dw_pk_… # npx depthwire key --publishable prints one'}`,
    `      origins: [${quoted(originOf(setup) ?? EXAMPLE_ORIGIN)}]`,
    `      instruments: [${instruments.map(quoted).join(', ')}]`,
    `      topics: [${topics.join(', ')}]`,
    ...(levels > LEVELS ? [`      maxDepth: ${levels} # levels a side`] : []),
    ...(cadence !== undefined && Number(cadence) < CADENCE_MS ? [`      minCadenceMs: ${cadence}`] : []),
  ].join('\n');
}
