import { MediaQuery } from 'svelte/reactivity';
import type { TimeZone } from '../format/time.ts';
import { storage } from './storage.svelte.ts';

export const themes = ['auto', 'dark', 'light'] as const;
export type Theme = (typeof themes)[number];
export const palettes = ['teal-coral', 'blue-orange', 'red-up'] as const;
export type Palette = (typeof palettes)[number];
export const contrasts = ['auto', 'normal', 'high'] as const;
export type Contrast = (typeof contrasts)[number];
/** How large the text is, and with it the rows. */
export const densities = ['compact', 'normal', 'large'] as const;
export type Density = (typeof densities)[number];
export type SizeUnit = 'base' | 'quote';

/** `static/appearance.js` reads this key too. */
const KEY = 'depthwire.preferences';
/** Instruments whose price group is remembered. */
const MAX_GROUPS = 200;

interface Stored {
  theme: Theme;
  palette: Palette;
  contrast: Contrast;
  density: Density;
  timeZone: TimeZone;
  sizeUnit: SizeUnit;
  minimumTrade: number;
  groups: Record<string, number>;
  offersTour: boolean;
}

const defaults: Stored = {
  theme: 'auto',
  palette: 'teal-coral',
  contrast: 'auto',
  density: 'compact',
  timeZone: 'local',
  sizeUnit: 'base',
  minimumTrade: 0,
  groups: {},
  offersTour: true,
};

/** What the user chose, kept in this browser. */
export class Preferences {
  theme = $state<Theme>(defaults.theme);
  palette = $state<Palette>(defaults.palette);
  contrast = $state<Contrast>(defaults.contrast);
  density = $state<Density>(defaults.density);
  timeZone = $state<TimeZone>(defaults.timeZone);
  sizeUnit = $state<SizeUnit>(defaults.sizeUnit);
  /** Trades below this many units of quote currency are left out of the tape. */
  minimumTrade = $state(defaults.minimumTrade);
  /** Price group of each instrument, ticks. */
  groups = $state<Record<string, number>>({});
  /** Until it was begun, or not wanted. */
  offersTour = $state(defaults.offersTour);

  readonly #wantsContrast = new MediaQuery('prefers-contrast: more');
  readonly #hasForcedColours = new MediaQuery('forced-colors: active');
  readonly #isDarkOutside = new MediaQuery('prefers-color-scheme: dark');

  constructor() {
    const stored = read();
    this.theme = oneOf(themes, stored.theme, defaults.theme);
    this.palette = oneOf(palettes, stored.palette, defaults.palette);
    this.contrast = oneOf(contrasts, stored.contrast, defaults.contrast);
    // By the screen, until something is kept: `static/appearance.js` has looked at it before the first paint.
    const shownDensity = document.documentElement.dataset.density;
    this.density = oneOf(densities, stored.density ?? shownDensity, defaults.density);
    this.timeZone = oneOf(['local', 'utc'] as const, stored.timeZone, defaults.timeZone);
    this.sizeUnit = oneOf(['base', 'quote'] as const, stored.sizeUnit, defaults.sizeUnit);
    if (typeof stored.minimumTrade === 'number') this.minimumTrade = stored.minimumTrade;
    if (typeof stored.groups === 'object' && stored.groups !== null) this.groups = stored.groups;
    if (typeof stored.offersTour === 'boolean') this.offersTour = stored.offersTour;
  }

  /** What `auto` comes to. */
  get #shownContrast(): 'normal' | 'high' {
    if (this.#hasForcedColours.current) return 'high';
    if (this.contrast !== 'auto') return this.contrast;
    return this.#wantsContrast.current ? 'high' : 'normal';
  }

  /** Writes every change and shows the appearance; call within a component. */
  keep(): void {
    $effect(() => {
      const { dataset } = document.documentElement;
      dataset.theme = this.theme;
      dataset.palette = this.palette;
      dataset.contrast = this.#shownContrast;
      dataset.density = this.density;
      void this.#isDarkOutside.current;
      colourBrowser();
    });
    $effect(() => storage.write(KEY, JSON.stringify(this.#snapshot())));
  }

  #snapshot(): Stored {
    const groups = Object.fromEntries(Object.entries($state.snapshot(this.groups)).slice(-MAX_GROUPS));
    const { theme, palette, contrast, density, timeZone, sizeUnit } = this;
    const { minimumTrade, offersTour } = this;
    return {
      theme,
      palette,
      contrast,
      density,
      timeZone,
      sizeUnit,
      minimumTrade,
      groups,
      offersTour,
    };
  }
}

/** What the browser paints itself around the page has the page's ground. */
function colourBrowser(): void {
  const { backgroundColor } = getComputedStyle(document.body);
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]'))
    meta.content = backgroundColor;
}

function read(): Partial<Stored> {
  const value = storage.readJson(KEY);
  return typeof value === 'object' && value !== null ? value : {};
}

function oneOf<T>(allowed: readonly T[], value: unknown, fallback: T): T {
  return allowed.includes(value as T) ? (value as T) : fallback;
}
