/** How long what went out of sight goes on: somebody scrolls back, or looks at another tab for a moment. */
const LINGER_MS = 3_000;
const MARGIN = '128px';

type Listener = (isVisible: boolean) => void;

interface Watched {
  readonly tell: Listener;
  isNear: boolean;
  told: boolean;
  timer: ReturnType<typeof setTimeout> | null;
}

const watched = new Map<Element, Watched>();
let observer: IntersectionObserver | null = null;

function update(entry: Watched): void {
  const isVisible = entry.isNear && document.visibilityState === 'visible';
  if (entry.timer !== null) clearTimeout(entry.timer);
  entry.timer = null;
  if (isVisible === entry.told) return;
  const tell = () => {
    entry.timer = null;
    entry.told = isVisible;
    entry.tell(isVisible);
  };
  if (isVisible) tell();
  else entry.timer = setTimeout(tell, LINGER_MS);
}

const updateAll = () => {
  for (const entry of watched.values()) update(entry);
};

/** Tells when an element comes near to what is seen of a page in front, and when it is no longer; returns how to stop. */
export function watchVisibility(element: Element, tell: Listener): () => void {
  if (watched.size === 0) document.addEventListener('visibilitychange', updateAll);
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const entry = watched.get(target);
        if (!entry) continue;
        entry.isNear = isIntersecting;
        update(entry);
      }
    },
    { rootMargin: MARGIN },
  );
  const entry: Watched = { tell, isNear: false, told: false, timer: null };
  watched.set(element, entry);
  observer.observe(element);
  return () => {
    if (entry.timer !== null) clearTimeout(entry.timer);
    watched.delete(element);
    observer!.unobserve(element);
    if (watched.size === 0) document.removeEventListener('visibilitychange', updateAll);
  };
}
