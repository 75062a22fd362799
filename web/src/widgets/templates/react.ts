import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { Kind, WidgetAttributes, WidgetElement, WidgetEvents } from '../types.ts';

// Types for JSX of React 19, and nothing that runs: `import type {} from '@depthwire/widgets/react'`.

type Listeners = {
  readonly [Name in keyof WidgetEvents as `on${Name}`]?: (event: WidgetEvents[Name]) => void;
};
/** `key` is React's own, and never reaches an element. */
type Props<Of extends Kind> = DetailedHTMLProps<HTMLAttributes<WidgetElement<Of>>, WidgetElement<Of>> &
  Omit<WidgetAttributes<Of>, 'key'> &
  Listeners;
type Tags = { [Of in Kind as `depthwire-${Of}`]: Props<Of> };

declare module 'react' {
  /* eslint-disable @typescript-eslint/no-namespace, @typescript-eslint/no-empty-object-type -- only so one adds to React's */
  namespace JSX {
    interface IntrinsicElements extends Tags {}
  }
  /* eslint-enable @typescript-eslint/no-namespace, @typescript-eslint/no-empty-object-type */
}
