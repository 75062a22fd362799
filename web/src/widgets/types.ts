import type { attributesOf, AttributeName, commonAttributes, Kind, ownAttributes } from './kinds.ts';
import type { PriceDetail, SelectDetail, StateDetail, WidgetState } from './core/widget.ts';

export type { AttributeName, Kind, PriceDetail, SelectDetail, StateDetail, WidgetState };

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

/** Of the events that widgets tell; they bubble, out of shadow roots too. */
export interface WidgetEvents {
  'dw-price': CustomEvent<PriceDetail>;
  'dw-state': CustomEvent<StateDetail>;
  'dw-select': CustomEvent<SelectDetail>;
}

type WidgetTags = { [Of in Kind as `depthwire-${Of}`]: WidgetElement<Of> };

declare global {
  /* eslint-disable @typescript-eslint/no-empty-object-type -- only an interface adds to the platform's */
  interface HTMLElementTagNameMap extends WidgetTags {}
  interface HTMLElementEventMap extends WidgetEvents {}
  /* eslint-enable @typescript-eslint/no-empty-object-type */
}
