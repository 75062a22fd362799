import type { IChartApi, IPaneApi, Time } from 'lightweight-charts';

export const VOLUME_PANE = 'volume';
/** A pane that is so many pixels higher or lower was dragged. */
const LEAST_DRAG = 3;

interface PaneEvents {
  onPanes(tops: ReadonlyMap<string, number>): void;
  onResize(heights: ReadonlyMap<string, number>): void;
}

interface NamedPane {
  readonly id: string;
  readonly pane: IPaneApi<Time>;
}

/** How high the panes below the price are, as shares of it, and where they are. */
export class PaneHeights {
  readonly #chart: IChartApi;
  readonly #container: HTMLElement;
  readonly #events: PaneEvents;
  readonly #heights = new Map<string, number>();
  readonly #sizes: ResizeObserver;
  #panes: readonly NamedPane[] = [];
  #before: readonly number[] = [];
  readonly #onDown = () => {
    this.#before = this.#panes.map(({ pane }) => pane.getHeight());
    addEventListener('pointerup', this.#onUp, { once: true });
  };
  readonly #onUp = () => requestAnimationFrame(() => this.#take());

  constructor(chart: IChartApi, container: HTMLElement, events: PaneEvents) {
    this.#chart = chart;
    this.#container = container;
    this.#events = events;
    this.#sizes = new ResizeObserver(() => this.#place());
    container.addEventListener('pointerdown', this.#onDown);
  }

  destroy(): void {
    this.#sizes.disconnect();
    this.#container.removeEventListener('pointerdown', this.#onDown);
    removeEventListener('pointerup', this.#onUp);
  }

  set(id: string, height: number): void {
    this.#heights.set(id, height);
  }

  /** Gives all panes below the price their heights. */
  apply(panes: readonly NamedPane[]): void {
    this.#panes = panes;
    this.#chart.panes()[0]?.setStretchFactor(1);
    for (const { id, pane } of panes) pane.setStretchFactor(this.#heights.get(id) ?? 1);
    this.#sizes.disconnect();
    // Their elements come with the next frame.
    requestAnimationFrame(() => {
      for (const { pane } of this.#panes) {
        const element = pane.getHTMLElement();
        if (element) this.#sizes.observe(element);
      }
      this.#place();
    });
  }

  #place(): void {
    const { top } = this.#container.getBoundingClientRect();
    const tops = this.#panes.flatMap(({ id, pane }): [string, number][] => {
      const element = pane.getHTMLElement();
      return element ? [[id, element.getBoundingClientRect().top - top]] : [];
    });
    this.#events.onPanes(new Map(tops));
  }

  /** What the user dragged. */
  #take(): void {
    const price = this.#chart.panes()[0]?.getHeight();
    if (!price) return;
    const now = this.#panes.map(({ pane }) => pane.getHeight());
    if (now.every((height, i) => Math.abs(height - (this.#before[i] ?? height)) < LEAST_DRAG)) return;
    this.#events.onResize(
      new Map(this.#panes.map(({ id }, i) => [id, Math.round((now[i]! / price) * 100) / 100])),
    );
  }
}
