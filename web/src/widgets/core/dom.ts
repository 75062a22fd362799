type Attributes = Readonly<Record<string, string | number | boolean | null>>;

/**
 * An element with attributes and children; never from text that is parsed, so pages that have Trusted Types let it be.
 * @param attributes `part`, `class` and so on; false and null leave one out
 */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false && value !== null) element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
}

/** Sets a text where it differs: what is the same is not laid out again. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Sets an attribute, or takes it away with null, where that changes it. */
export function setAttribute(element: Element, name: string, value: string | null): void {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

const sheets = new WeakMap<Document, Map<string, CSSStyleSheet>>();

/**
 * A style sheet, one for all in a document who have the same: constructed, for a style element would need
 * `unsafe-inline`.
 */
export function sheetOf(css: string, document: Document): CSSStyleSheet {
  let ofDocument = sheets.get(document);
  if (!ofDocument) sheets.set(document, (ofDocument = new Map<string, CSSStyleSheet>()));
  let sheet = ofDocument.get(css);
  if (!sheet) {
    sheet = new (document.defaultView ?? globalThis).CSSStyleSheet();
    sheet.replaceSync(css);
    ofDocument.set(css, sheet);
  }
  return sheet;
}
