import type { HTMLAttributes, ReservedProps } from 'vue';
import type { Kind, WidgetAttributes, WidgetEvents } from '../types.ts';

// Types for templates of Vue 3, and nothing that runs: `import type {} from '@depthwire/widgets/vue'`.

type Pascal<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Capitalize<Head>}${Pascal<Tail>}`
  : Capitalize<Name>;
type Listeners = {
  readonly [Name in keyof WidgetEvents as `on${Pascal<Name>}`]?: (event: WidgetEvents[Name]) => void;
};
/** `key` is Vue's own, and never reaches an element. */
type Props<Of extends Kind> = HTMLAttributes & ReservedProps & Omit<WidgetAttributes<Of>, 'key'> & Listeners;
type Tags = { [Of in Kind as `depthwire-${Of}`]: new () => { readonly $props: Props<Of> } };

declare module 'vue' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- only an interface adds to Vue's
  interface GlobalComponents extends Tags {}
}
