import { attributesFor, kinds, type Kind } from './kinds.ts';
import type { WidgetEvents } from './types.ts';

// The page of a frame: one widget, as large as the frame, with the options of the query.

const told: readonly (keyof WidgetEvents)[] = ['dw-price', 'dw-state', 'dw-select'];
const kind = decodeURIComponent(location.pathname.split('/').at(-1)!) as Kind;
const query = new URLSearchParams(location.search);
/** What a page would say in its style. */
const isVariable = (name: string) => name.startsWith('--depthwire-');

function message(text: string): HTMLElement {
  const element = document.createElement('p');
  element.textContent = text;
  return element;
}

/** What is wrong with the address; null where nothing is. */
function wrongWith(): string | null {
  if (!kinds.includes(kind)) return `There is no widget “${kind}”: expected one of ${kinds.join(', ')}.`;
  const known: readonly string[] = attributesFor(kind);
  const unknown = [...query.keys()].find((name) => !known.includes(name) && !isVariable(name));
  return unknown === undefined
    ? null
    : `${kind} has no option “${unknown}”: expected some of ${known.join(', ')}.`;
}

function widget(): HTMLElement {
  const element = document.createElement(`depthwire-${kind}`);
  for (const [name, value] of query)
    if (isVariable(name)) element.style.setProperty(name, value);
    else element.setAttribute(name, value);
  for (const name of told)
    element.addEventListener(name, ({ detail }) => {
      // Whose page may frame this one, the server says: no other gets it.
      if (parent !== window) parent.postMessage({ type: name, detail }, '*');
    });
  return element;
}

const { documentElement } = document;
const theme = query.get('theme');
documentElement.lang = query.get('locale') ?? navigator.language;
if (theme === 'light' || theme === 'dark') documentElement.style.colorScheme = theme;
document.title = ['Depthwire', kind, query.get('instrument')].filter(Boolean).join(' · ');
const wrong = wrongWith();
document.body.replaceChildren(wrong === null ? widget() : message(wrong));
