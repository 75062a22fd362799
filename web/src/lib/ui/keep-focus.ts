/** Moves what may have the focus, which an element that is put elsewhere loses. */
export function keepFocus(within: HTMLElement, move: () => void): void {
  const focused = document.activeElement;
  const isWithin = within.contains(focused);
  move();
  if (isWithin && focused !== document.activeElement)
    (focused as HTMLElement).focus({ preventScroll: true });
}
