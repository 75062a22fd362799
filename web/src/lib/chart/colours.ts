const names = [
  'ground',
  'raised',
  'line',
  'line-strong',
  'grid',
  'text',
  'text-2',
  'text-3',
  'up',
  'down',
  'accent',
  'amber',
  'series-ink',
  'series-blue',
  'series-pink',
  'series-lime',
  'series-sky',
  'series-grey',
  'heat-none',
  'heat-1',
  'heat-2',
  'heat-3',
  'heat-4',
] as const;
type Name = (typeof names)[number];

/** The theme's colours as a canvas understands them. */
export type Colours = Readonly<Record<Name, string>>;

/** Reads the colours that apply to an element now: custom properties resolve only where they are used. */
export function readColours(element: HTMLElement): Colours {
  const probe = document.createElement('span');
  probe.hidden = true;
  element.append(probe);
  const colours = {} as Record<Name, string>;
  for (const name of names) {
    probe.style.color = `var(--${name})`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return colours;
}

/** An `rgb(…)` colour with an opacity. */
export function withAlpha(colour: string, alpha: number): string {
  return colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
}

/** Calls back after the theme or the size of text changed, by the user's choice or by the system's; returns how to stop. */
export function watchColours(onChange: () => void): () => void {
  const observer = new MutationObserver(onChange);
  observer.observe(document.documentElement, {
    attributeFilter: ['data-theme', 'data-palette', 'data-contrast', 'data-density'],
  });
  const system = ['(prefers-color-scheme: dark)', '(forced-colors: active)'].map((query) =>
    matchMedia(query),
  );
  for (const query of system) query.addEventListener('change', onChange);
  return () => {
    observer.disconnect();
    for (const query of system) query.removeEventListener('change', onChange);
  };
}
