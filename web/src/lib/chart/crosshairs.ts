/** A chart that shows where the crosshair of another is. */
interface Follower {
  /** @param time unix seconds; null without a crosshair */
  follow(time: number | null): void;
}

/** The crosshairs of all charts that can be seen, in step: one time in all of them. */
export class Crosshairs {
  readonly #followers = new Set<Follower>();

  /** Returns how to leave. */
  join(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  move(from: Follower, time: number | null): void {
    for (const follower of this.#followers) if (follower !== from) follower.follow(time);
  }
}
