import type { Attachment } from 'svelte/attachments';
import type { HeatmapView } from './heatmap-view.ts';
import { xOf, yOf } from './view.ts';

const WHEEL_ZOOM = 0.0016;
const KEY_ZOOM = 1.5;
/** A drag moves the prices too once it went so far up or down: a hand that goes sideways is not that steady. */
const PRICE_DRAG_FROM = 14;

/** What keys and pointers do to a heatmap. */
export interface HeatmapMoves {
  /** Null while there is nothing to move. */
  view(): HeatmapView | null;
  /** Where the crosshair is. */
  anchor(): { period: number; ticks: number } | null;
  /** @param at pixels; null where the pointer left */
  point(at: { x: number; y: number } | null): void;
  anchorAt(at: { period: number; ticks: number } | null): void;
  changed(): void;
  toNow(): void;
  toAuto(): void;
}

export function heatmapKey(event: KeyboardEvent, moves: HeatmapMoves): void {
  const view = moves.view();
  if (!view?.price || event.ctrlKey || event.metaKey || event.altKey) return;
  const { layout, extent } = view;
  const centre = layout.plot / 2;
  switch (event.key) {
    case 'ArrowLeft':
    case 'ArrowRight':
    case 'ArrowUp':
    case 'ArrowDown':
      if (event.shiftKey) shift(event.key, view);
      else stepCross(event.key, view, moves);
      break;
    case '+':
    case '=':
      view.zoom(KEY_ZOOM, centre);
      break;
    case '-':
      view.zoom(1 / KEY_ZOOM, centre);
      break;
    case 'PageUp':
      view.zoomPrice(KEY_ZOOM, layout.height / 2);
      break;
    case 'PageDown':
      view.zoomPrice(1 / KEY_ZOOM, layout.height / 2);
      break;
    case 'Home':
      view.moveTo({ ...view.time, end: extent.from + layout.plot / view.time.scale });
      break;
    case 'End':
      moves.toNow();
      break;
    case 'Escape':
      moves.anchorAt(null);
      break;
    default:
      return;
  }
  event.preventDefault();
  event.stopPropagation();
  moves.changed();
}

type Arrow = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown';

function shift(key: Arrow, view: HeatmapView): void {
  if (key === 'ArrowLeft') view.pan(view.layout.plot / 4);
  else if (key === 'ArrowRight') view.pan(-view.layout.plot / 4);
  else view.panPrice((key === 'ArrowUp' ? 1 : -1) * (view.layout.height / 4));
}

/** A column, or a row, further; what is then out of sight comes into it. */
function stepCross(key: Arrow, view: HeatmapView, moves: HeatmapMoves): void {
  const { extent, layout, rowTicks, shown } = view;
  const price = view.price!;
  const first = {
    period: Math.max(shown.from, Math.min(extent.to - 1, Math.floor(view.time.end) - 1)),
    ticks: (Math.floor(price.centre / rowTicks) + 0.5) * rowTicks,
  };
  const at = moves.anchor() ?? first;
  const dx = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
  const dy = key === 'ArrowUp' ? 1 : key === 'ArrowDown' ? -1 : 0;
  const perTexel = view.tiles.grid?.perTexel ?? 1;
  const period = Math.min(extent.to - 1, Math.max(extent.from, at.period + dx * perTexel));
  const ticks = at.ticks + dy * rowTicks;
  const x = xOf(period + 0.5, view.time, layout.plot);
  if (x < 0) view.pan(layout.plot / 4 - x);
  else if (x > layout.plot) view.pan(layout.plot * 0.75 - x);
  const y = yOf(ticks, price, layout.height);
  if (y < 0) view.panPrice(layout.height / 4 - y);
  else if (y > layout.height) view.panPrice(layout.height * 0.75 - y);
  moves.anchorAt({ period, ticks });
}

/** Dragging, pinching and the wheel: not as attributes, for a passive listener cannot keep the page from scrolling. */
export function heatmapPointer(moves: HeatmapMoves): Attachment<HTMLElement> {
  return (element) => {
    const held = new Map<number, { x: number; y: number }>();
    let dragged = 0;
    const placeOf = ({ clientX, clientY }: MouseEvent) => {
      const { left, top } = element.getBoundingClientRect();
      return { x: clientX - left, y: clientY - top };
    };
    const isOnPrices = (x: number) => {
      const { plot, profile } = moves.view()?.layout ?? { plot: Infinity, profile: 0 };
      return x > plot + profile;
    };

    const onDown = (event: PointerEvent) => {
      if (event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      held.set(event.pointerId, placeOf(event));
      dragged = 0;
    };
    const onMove = (event: PointerEvent) => {
      const at = placeOf(event);
      const before = held.get(event.pointerId);
      const view = moves.view();
      moves.point(at);
      if (!before || !view) return;
      held.set(event.pointerId, at);
      const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
      if (other) {
        const gap = (place: { x: number }) => Math.max(16, Math.abs(place.x - other.x));
        view.zoom(gap(at) / gap(before), (at.x + other.x) / 2);
      } else {
        const dy = at.y - before.y;
        if (isOnPrices(before.x)) view.zoomPrice(Math.exp(-dy / 120), view.layout.height / 2);
        else {
          view.pan(at.x - before.x);
          dragged += dy;
          if (!view.isAuto) view.panPrice(dy);
          else if (Math.abs(dragged) > PRICE_DRAG_FROM) view.panPrice(dragged);
        }
      }
      moves.changed();
    };
    const onUp = (event: PointerEvent) => {
      held.delete(event.pointerId);
    };
    const onLeave = () => {
      if (held.size === 0) moves.point(null);
    };
    const onDouble = (event: MouseEvent) => {
      if (isOnPrices(placeOf(event).x)) moves.toAuto();
      else moves.toNow();
    };
    const onWheel = (event: WheelEvent) => {
      const view = moves.view();
      if (!view) return;
      event.preventDefault();
      const at = placeOf(event);
      const lines = event.deltaMode === 1 ? 16 : 1;
      // With Shift some browsers turn the wheel sideways.
      const turned = (event.deltaY || (event.shiftKey ? event.deltaX : 0)) * lines;
      const factor = Math.exp(-turned * WHEEL_ZOOM);
      if (event.shiftKey || isOnPrices(at.x)) view.zoomPrice(factor, at.y);
      else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) view.pan(-event.deltaX * lines);
      else view.zoom(factor, at.x);
      moves.changed();
    };

    element.addEventListener('pointerdown', onDown);
    element.addEventListener('pointermove', onMove);
    element.addEventListener('pointerup', onUp);
    element.addEventListener('pointercancel', onUp);
    element.addEventListener('pointerleave', onLeave);
    element.addEventListener('dblclick', onDouble);
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => {
      element.removeEventListener('pointerdown', onDown);
      element.removeEventListener('pointermove', onMove);
      element.removeEventListener('pointerup', onUp);
      element.removeEventListener('pointercancel', onUp);
      element.removeEventListener('pointerleave', onLeave);
      element.removeEventListener('dblclick', onDouble);
      element.removeEventListener('wheel', onWheel);
    };
  };
}
