import type { attributesOf, AttributeName, commonAttributes, Kind, ownAttributes } from './kinds.ts';
import type { WidgetEvents } from './events.ts';

export type * from './events.ts';
export type { AttributeName, Kind };

export interface DefineOptions {
  /** Elements are `<prefix>-<kind>`; default `depthwire`. */
  readonly prefix?: string;
  /** Of the Depthwire server, where an element's attribute does not say; a URL. */
  readonly server?: string | null;
  /** A publishable key, where an element's attribute does not say. */
  readonly key?: string | null;
  /** A script of the page's own origin for a SharedWorker, which lets its pages share a connection. */
  readonly worker?: string | null;
}

type Camel<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;
type Types = typeof commonAttributes & typeof ownAttributes;
type ValueOf<Name extends AttributeName> = Types[Name] extends 'flag'
  ? boolean
  : Types[Name] extends 'number'
    ? number | null
    : string | null;
type NamesOf<Of extends Kind> = (typeof attributesOf)[Of][number] | keyof typeof commonAttributes;

/** An element of a kind: its attributes are properties too, in camel case. */
export type WidgetElement<Of extends Kind = Kind> = HTMLElement & {
  [Name in NamesOf<Of> as Camel<Name>]: ValueOf<Name>;
};

/** What may be written in a template: attributes as texts, numbers or flags. */
export type WidgetAttributes<Of extends Kind = Kind> = {
  readonly [Name in NamesOf<Of>]?: Types[Name] extends 'flag' ? boolean | '' : string | number;
};

type WidgetTags = { [Of in Kind as `depthwire-${Of}`]: WidgetElement<Of> };

declare global {
  /* eslint-disable @typescript-eslint/no-empty-object-type -- only an interface adds to the platform's */
  interface HTMLElementTagNameMap extends WidgetTags {}
  // Of elements, of the document and of the window, to which events bubble.
  interface GlobalEventHandlersEventMap extends WidgetEvents {}
  /* eslint-enable @typescript-eslint/no-empty-object-type */
}
