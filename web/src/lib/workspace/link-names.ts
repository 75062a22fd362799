import { m } from '../paraglide/messages.js';
import { linkColours, type LinkColour } from './model.ts';

const names: Readonly<Record<LinkColour, () => string>> = {
  blue: m.link_blue,
  pink: m.link_pink,
  lime: m.link_lime,
  sky: m.link_sky,
};

/** What the link of a panel is called. */
export const linkName = (link: LinkColour | null) => (link === null ? m.link_none() : names[link]());

/** Told apart without its colour. */
export const linkLetter = (link: LinkColour | null) =>
  link === null ? '' : String.fromCharCode(65 + linkColours.indexOf(link));
