import type { Attachment } from 'svelte/attachments';

const FLASH_MS = 300;
const stillMotion = matchMedia('(prefers-reduced-motion: reduce)');

/**
 * Tints the element for a moment from the colour of the direction the value took. The tint is a
 * layer whose opacity fades: the compositor does that alone, while a fading background would have
 * the page painted sixty times a second. The element must be positioned.
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
        tint.style.background = now > before ? 'var(--up)' : 'var(--down)';
        tint.animate([{ opacity: 0.34 }, { opacity: 0 }], { duration: FLASH_MS, easing: 'ease-out' });
      }
      before = now;
    });
    return () => tint.remove();
  };
}
