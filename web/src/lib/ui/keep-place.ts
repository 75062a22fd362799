/** Puts elements elsewhere in the page, and gives back what they lose by it: the focus, and how far they were scrolled. */
export function keepPlace(within: HTMLElement, move: () => void): void {
  const focused = document.activeElement;
  const isWithin = within.contains(focused);
  const scrolled = [...within.querySelectorAll('*')]
    .map((element) => ({ element, top: element.scrollTop, left: element.scrollLeft }))
    .filter(({ top, left }) => top !== 0 || left !== 0);
  move();
  for (const { element, top, left } of scrolled) element.scrollTo({ top, left, behavior: 'instant' });
  if (isWithin && focused !== document.activeElement) (focused as HTMLElement).focus({ preventScroll: true });
}
