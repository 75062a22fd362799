import { h } from './dom.ts';

type Attributes = Parameters<typeof h>[1];

/** Rows that are laid out as grids are no longer rows to all browsers, unless they are told. */
export const row = (attributes: Attributes, ...cells: Node[]) =>
  h('tr', { role: 'row', ...attributes }, ...cells);
export const head = (attributes: Attributes, ...content: (Node | string)[]) =>
  h('th', { role: 'columnheader', scope: 'col', ...attributes }, ...content);
export const cell = (attributes: Attributes, ...content: (Node | string)[]) =>
  h('td', { role: 'cell', ...attributes }, ...content);

export function table(attributes: Attributes, heads: Node[], rows: Node[]): HTMLTableElement {
  return h(
    'table',
    { role: 'table', ...attributes },
    h('thead', { role: 'rowgroup' }, row({ class: 'heads' }, ...heads)),
    h('tbody', { role: 'rowgroup', class: 'rows' }, ...rows),
  );
}

/**
 * Of tables with a constant number of rows. Where the page leaves less room than they take, those that do not fit wrap
 * to a second column, which is out of sight: no row is cut in two. Where they are narrowest figures get smaller: one that
 * is cut would read as another.
 */
export const tableStyle = `
table { display: grid; grid-template-rows: auto minmax(0, 1fr); min-block-size: 0; margin: 0; }
thead { display: block; }
.rows { display: flex; flex-flow: column wrap; overflow: clip; min-block-size: 0; }
tr { position: relative; isolation: isolate; display: grid; grid-template-columns: var(--_columns); align-items: center; gap: 0 0.5em; padding: 0 var(--_pad); inline-size: 100%; }
.rows tr { flex: 1 0 var(--_row); max-block-size: calc(var(--_row) * 1.5); }
.heads { color: var(--_text-2); font-size: var(--_small); padding-block: 0.15em 0.3em; }
th, td { min-inline-size: 0; padding: 0; font-weight: inherit; text-align: end; white-space: nowrap; }
th:first-child, td:first-child { text-align: start; }
th, td { overflow: hidden; text-overflow: ellipsis; }
.n { display: inline-block; }
.bar { position: absolute; z-index: -1; inset-block: 1px; inset-inline-end: 0; inline-size: calc(var(--_share, 0) * 100%); background: color-mix(in srgb, var(--_side) var(--_bar), transparent); }
.none { position: absolute; inset: 0; display: grid; place-content: center; margin: 0; padding: var(--_pad); color: var(--_text-2); text-align: center; pointer-events: none; }
.none[hidden] { display: none; }
@container depthwire (inline-size < 22em) { .unit { display: none; } }
@container depthwire (inline-size < 15em) { tr { padding-inline: calc(var(--_pad) * 0.6); } }
@container depthwire (inline-size < 13em) {
  tr { column-gap: 0.3em; padding-inline: calc(var(--_pad) * 0.4); }
  td { font-size: 0.8em; }
}
`;
