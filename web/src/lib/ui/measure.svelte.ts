import type { Attachment } from 'svelte/attachments';

export interface Box {
  readonly width: number;
  readonly height: number;
}

/** Tells the size of an element's content box, at first and after each change. */
export function measure(onResize: (box: Box, element: HTMLElement) => void): Attachment<HTMLElement> {
  return (element) => {
    // At once too: what depends on the size is then there at the first paint.
    onResize({ width: element.clientWidth, height: element.clientHeight }, element);
    const observer = new ResizeObserver(([entry]) => {
      if (entry) onResize(entry.contentRect, element);
    });
    observer.observe(element);
    return () => observer.disconnect();
  };
}

/** Tells whether any of the element can be seen: what is not seen need not be drawn. */
export function watchVisible(onChange: (isVisible: boolean) => void): Attachment<HTMLElement> {
  return (element) => {
    const observer = new IntersectionObserver((entries) => {
      const last = entries.at(-1);
      if (last) onChange(last.isIntersecting);
    });
    observer.observe(element);
    return () => observer.disconnect();
  };
}

/** Height of a ladder or tape row, which density and screen size decide. */
export function rowHeightOf(element: HTMLElement): number {
  return parseFloat(getComputedStyle(element).getPropertyValue('--row')) || 19;
}
