import type { HTMLAttributes } from 'svelte/elements';
import type { Kind, WidgetAttributes, WidgetElement, WidgetEvents } from '../types.ts';

// Types for templates of Svelte 5, and nothing that runs: `import type {} from '@depthwire/widgets/svelte'`.

type Listeners = {
  readonly [Name in keyof WidgetEvents as `on${Name}`]?: (event: WidgetEvents[Name]) => void;
};
type Tags = {
  [Of in Kind as `depthwire-${Of}`]: HTMLAttributes<WidgetElement<Of>> & WidgetAttributes<Of> & Listeners;
};

declare module 'svelte/elements' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- only an interface adds to Svelte's
  interface SvelteHTMLElements extends Tags {}
}
