/** Of every widget: colours and sizes come from `--depthwire-…` of the page, or from here. */
export const commonStyle = `
:host {
  contain: layout style;
  container: depthwire / inline-size;
  contain-intrinsic-inline-size: 20em;
  box-sizing: border-box;
  overflow: hidden;
  color-scheme: inherit;
  text-align: start;
  font: var(--depthwire-font, inherit);
  font-size: var(--depthwire-font-size, 0.875rem);
  line-height: 1.4;
  letter-spacing: normal;
  text-transform: none;
  word-spacing: normal;
  --_ground: var(--depthwire-ground, light-dark(#ffffff, #0c0f13));
  --_raised: var(--depthwire-raised, light-dark(#f3f5f7, #171c22));
  --_line: var(--depthwire-line, light-dark(#e2e6ea, #272f38));
  --_text: var(--depthwire-text, light-dark(#14181d, #e6e9ed));
  --_text-2: var(--depthwire-text-muted, light-dark(#4a545f, #a3acb7));
  --_up: var(--depthwire-up, light-dark(#007267, #49c6ae));
  --_down: var(--depthwire-down, light-dark(#bc332b, #f98d80));
  --_accent: var(--depthwire-accent, light-dark(#0066b8, #6bb5f2));
  --_warn: var(--depthwire-warning, light-dark(#835600, #efb740));
  --_row: var(--depthwire-row-height, 1.6em);
  --_pad: var(--depthwire-padding, 0.75em);
  --_radius: var(--depthwire-radius, 8px);
  --_border: var(--depthwire-border, 1px solid var(--_line));
  --_small: var(--depthwire-font-size-small, 0.857em);
  --_bar: var(--depthwire-bar-opacity, 14%);
  color: var(--_text);
}
:host([theme='light']) { color-scheme: light; }
:host([theme='dark']) { color-scheme: dark; }
*, ::before, ::after { box-sizing: border-box; }
button { font: inherit; color: inherit; letter-spacing: inherit; }
.frame {
  position: relative;
  display: flex;
  flex-direction: column;
  inline-size: 100%;
  block-size: 100%;
  background: var(--_ground);
  border: var(--_border);
  border-radius: var(--_radius);
  overflow: hidden;
  font-variant-numeric: tabular-nums;
}
:host([transparent]) .frame { background: none; }
.body { position: relative; flex: 1 1 auto; min-block-size: 0; overflow: hidden; }
.foot { flex: none; }
.head {
  display: flex;
  align-items: baseline;
  gap: 0.6em;
  padding: calc(var(--_pad) * 0.6) var(--_pad);
  min-inline-size: 0;
}
.name { font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.end { margin-inline-start: auto; }
.foot {
  display: flex;
  align-items: center;
  gap: 0.6em;
  padding: calc(var(--_pad) * 0.4) var(--_pad);
  color: var(--_text-2);
  font-size: var(--_small);
  white-space: nowrap;
  min-inline-size: 0;
}
.state { display: inline-flex; align-items: center; gap: 0.45em; min-inline-size: 0; overflow: hidden; text-overflow: ellipsis; }
.state::before {
  content: '';
  flex: none;
  inline-size: 0.5em;
  block-size: 0.5em;
  border-radius: 50%;
  background: var(--_text-2);
}
.frame[data-state='live'] .state::before { background: var(--_up); }
.frame[data-state='stale'] .state, .frame[data-state='recovering'] .state, .frame[data-state='offline'] .state { color: var(--_warn); }
.frame[data-state='stale'] .state::before, .frame[data-state='recovering'] .state::before, .frame[data-state='offline'] .state::before { background: var(--_warn); border-radius: 0; }
.frame[data-state='refused'] .state, .frame[data-state='failed'] .state { color: var(--_down); }
.frame[data-state='refused'] .state::before, .frame[data-state='failed'] .state::before { background: var(--_down); border-radius: 0; }
.frame[data-origin]:not([data-origin='live'])[data-state='live'] .state::before { background: none; border: 2px solid currentcolor; }
.frame[data-old] .body { filter: grayscale(0.75) opacity(0.95); }
.source[hidden] { display: none; }
.state { flex: 0 1 auto; min-inline-size: fit-content; }
.state + * { margin-inline-start: auto; }
.source { overflow: hidden; text-overflow: ellipsis; min-inline-size: 0; }
a { color: inherit; text-underline-offset: 0.15em; }
a:hover { color: var(--_accent); }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: -2px; border-radius: 4px; }
.message {
  position: absolute;
  inset: 0;
  display: grid;
  place-content: center;
  padding: var(--_pad);
  text-align: center;
  text-wrap: balance;
  overflow-wrap: anywhere;
  overflow: auto;
  color: var(--_text-2);
}
.message[hidden] { display: none; }
.frame[data-message] .foot > * { visibility: hidden; }
.n { direction: ltr; unicode-bidi: isolate; white-space: nowrap; }
.up { color: var(--_up); }
.down { color: var(--_down); }
.muted { color: var(--_text-2); }
.hidden {
  position: absolute;
  inline-size: 1px;
  block-size: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
canvas { display: block; position: absolute; inset: 0; inline-size: 100%; block-size: 100%; }
@container depthwire (inline-size < 15em) {
  .head { flex-wrap: wrap; row-gap: 0; }
  .head, .foot { padding-inline: calc(var(--_pad) * 0.6); gap: 0.4em; }
}
@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after { animation: none !important; transition: none !important; }
}
@media (forced-colors: active) {
  :host { --_ground: Canvas; --_raised: Canvas; --_line: GrayText; --_text: CanvasText; --_text-2: CanvasText; --_up: CanvasText; --_down: CanvasText; --_accent: LinkText; --_warn: CanvasText; }
  .state::before { background: CanvasText; }
}
@media print {
  :host, :host([theme]) { color-scheme: light; }
  .frame { border-color: #999; break-inside: avoid; }
  .controls { display: none; }
}
`;
