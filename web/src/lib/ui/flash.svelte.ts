import type { Attachment } from 'svelte/attachments';
import { requestFrame } from '../state/frames.ts';

/** How much of the colour there is, step by step; in percent. */
const FADE = [34, 24, 15, 7];
const STEP_MS = 75;
const stillMotion = matchMedia('(prefers-reduced-motion: reduce)');

/** Tints that are seen, and the step each is at. */
const seen = new Map<HTMLElement, { colour: string; step: number }>();
let timer: ReturnType<typeof setTimeout> | undefined;

/**
 * Tints the element for a moment from the colour of the direction the value took. It fades in four steps, of all
 * elements together: an animation of each would be a layer of its own, and a list of prices then has the browser
 * arrange its layers anew in every frame. The element must be positioned.
 */
export function flash(value: () => number | null): Attachment<HTMLElement> {
  return (element) => {
    const tint = document.createElement('i');
    tint.className = 'flash';
    element.append(tint);
    let before: number | null = null;
    $effect(() => {
      const now = value();
      if (before !== null && now !== null && now !== before && !stillMotion.matches) {
        const fading = { colour: now > before ? 'var(--up)' : 'var(--down)', step: 0 };
        seen.set(tint, fading);
        paint(tint, fading);
        timer ??= setTimeout(tick, STEP_MS);
      }
      before = now;
    });
    return () => {
      seen.delete(tint);
      tint.remove();
    };
  };
}

function tick(): void {
  timer = undefined;
  requestFrame(fade);
}

function fade(): void {
  for (const [tint, fading] of seen) {
    fading.step += 1;
    paint(tint, fading);
    if (fading.step === FADE.length) seen.delete(tint);
  }
  if (seen.size > 0) timer ??= setTimeout(tick, STEP_MS);
}

function paint(tint: HTMLElement, { colour, step }: { colour: string; step: number }): void {
  const share = FADE[step];
  tint.style.background = share === undefined ? '' : `color-mix(in srgb, ${colour} ${share}%, transparent)`;
}
