import { h } from './dom.ts';

const names = ['ground', 'line', 'text', 'text-2', 'up', 'down', 'accent'] as const;
type Name = (typeof names)[number];
export type CanvasColours = Readonly<Record<Name, string>>;

/** The colours of a widget as a canvas understands them: custom properties resolve only where they are used. */
export class ColourProbe {
  readonly #styles = new Map<Name, CSSStyleDeclaration>();
  #read: CanvasColours | null = null;

  constructor(parent: HTMLElement) {
    const probe = h('span', { hidden: true });
    for (const name of names) {
      const one = h('i');
      one.style.cssText = `forced-color-adjust: none; color: var(--_${name})`;
      this.#styles.set(name, getComputedStyle(one));
      probe.append(one);
    }
    parent.append(probe);
  }

  /** Those of now; the same object as long as none has changed, by the page's choice or by the system's. */
  get now(): CanvasColours {
    const before = this.#read;
    let isSame = before !== null;
    const read = {} as Record<Name, string>;
    for (const [name, { color }] of this.#styles) {
      read[name] = asRgb(color);
      if (before?.[name] !== read[name]) isSame = false;
    }
    return isSame ? before! : (this.#read = read);
  }
}

const asked = new Map<string, string>();
let context: CanvasRenderingContext2D | null = null;

/** A colour of any space as `rgb(…)`, which all canvases and charts take. */
function asRgb(colour: string): string {
  if (/^rgba?\(/.test(colour)) return colour;
  let rgb = asked.get(colour);
  if (rgb === undefined) {
    context ??= new OffscreenCanvas(1, 1).getContext('2d', {
      willReadFrequently: true,
    }) as unknown as CanvasRenderingContext2D;
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
    rgb =
      alpha === 255 ? `rgb(${red}, ${green}, ${blue})` : `rgba(${red}, ${green}, ${blue}, ${alpha! / 255})`;
    asked.set(colour, rgb);
  }
  return rgb;
}

/** A colour of which only a share covers what is below. */
export function translucent(colour: string, share: number): string {
  const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g)!.map(Number);
  return `rgba(${red}, ${green}, ${blue}, ${alpha * share})`;
}
