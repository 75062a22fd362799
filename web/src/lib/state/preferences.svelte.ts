import { sortKeys, type SortKey } from '../panels/watchlist/sort.ts';
import type { TimeZone } from '../format/time.ts';

export const themes = ['auto', 'dark', 'light'] as const;
export type Theme = (typeof themes)[number];
export const palettes = ['teal-coral', 'blue-orange', 'red-up'] as const;
export type Palette = (typeof palettes)[number];
export const densities = ['compact', 'normal'] as const;
export type Density = (typeof densities)[number];
export type SizeUnit = 'base' | 'quote';

const sortKeysOrNone = ['none', ...sortKeys] as const;
/** `static/appearance.js` reads this key too. */
const KEY = 'depthwire.preferences';
/** Instruments whose price group is remembered. */
const MAX_GROUPS = 200;

interface Stored {
  theme: Theme;
  palette: Palette;
  density: Density;
  timeZone: TimeZone;
  sizeUnit: SizeUnit;
  sortBy: SortKey | 'none';
  sortDescending: boolean;
  minimumTrade: number;
  groups: Record<string, number>;
}

const defaults: Stored = {
  theme: 'auto',
  palette: 'teal-coral',
  density: 'compact',
  timeZone: 'local',
  sizeUnit: 'base',
  sortBy: 'none',
  sortDescending: true,
  minimumTrade: 0,
  groups: {},
};

/** What the user chose, kept in this browser. */
export class Preferences {
  theme = $state<Theme>(defaults.theme);
  palette = $state<Palette>(defaults.palette);
  density = $state<Density>(defaults.density);
  timeZone = $state<TimeZone>(defaults.timeZone);
  sizeUnit = $state<SizeUnit>(defaults.sizeUnit);
  /** `none` is the order in which the server lists the instruments. */
  sortBy = $state<SortKey | 'none'>(defaults.sortBy);
  sortDescending = $state(defaults.sortDescending);
  /** Trades below this many units of quote currency are left out of the tape. */
  minimumTrade = $state(defaults.minimumTrade);
  /** Price group of each instrument, ticks. */
  groups = $state<Record<string, number>>({});

  constructor() {
    const stored = read();
    this.theme = oneOf(themes, stored.theme, defaults.theme);
    this.palette = oneOf(palettes, stored.palette, defaults.palette);
    this.density = oneOf(densities, stored.density, defaults.density);
    this.timeZone = oneOf(['local', 'utc'] as const, stored.timeZone, defaults.timeZone);
    this.sizeUnit = oneOf(['base', 'quote'] as const, stored.sizeUnit, defaults.sizeUnit);
    this.sortBy = oneOf(sortKeysOrNone, stored.sortBy, defaults.sortBy);
    if (typeof stored.sortDescending === 'boolean') this.sortDescending = stored.sortDescending;
    if (typeof stored.minimumTrade === 'number') this.minimumTrade = stored.minimumTrade;
    if (typeof stored.groups === 'object' && stored.groups !== null) this.groups = stored.groups;
  }

  /** Writes every change and shows the appearance; call within a component. */
  keep(): void {
    $effect(() => {
      const { dataset } = document.documentElement;
      dataset.theme = this.theme;
      dataset.palette = this.palette;
      dataset.density = this.density;
    });
    $effect(() => write(this.#snapshot()));
  }

  #snapshot(): Stored {
    const groups = Object.fromEntries(Object.entries($state.snapshot(this.groups)).slice(-MAX_GROUPS));
    const { theme, palette, density, timeZone, sizeUnit } = this;
    const { sortBy, sortDescending, minimumTrade } = this;
    return {
      theme,
      palette,
      density,
      timeZone,
      sizeUnit,
      sortBy,
      sortDescending,
      minimumTrade,
      groups,
    };
  }
}

function read(): Partial<Stored> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {}; // storage is blocked or holds something else
  }
}

function write(stored: Stored): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(stored));
  } catch {
    // storage is blocked or full: the choice lasts as long as the page
  }
}

function oneOf<T>(allowed: readonly T[], value: unknown, fallback: T): T {
  return allowed.includes(value as T) ? (value as T) : fallback;
}
