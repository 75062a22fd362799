/** Frames of a channel that are remembered, with some 80 bytes each. */
const MAX_FRAMES = 512;

/** A note on each of the latest frames of a channel, by which a client that missed some gets one instead. */
export class FrameLog<Note> {
  readonly #notes: Note[] = [];
  /** The frame that the first note is of. */
  #first = 1;

  /** The frame `seq` replaced all: nobody gets from before to after it but by a snapshot. */
  restart(seq: number): void {
    this.#notes.length = 0;
    this.#first = seq + 1;
  }

  /** Of the frame after the last one. */
  add(note: Note): void {
    this.#notes.push(note);
    if (this.#notes.length <= MAX_FRAMES) return;
    this.#notes.shift();
    this.#first += 1;
  }

  /** @returns the notes on all frames after `seq`, at least one; null where one of them is forgotten */
  since(seq: number): readonly [Note, ...Note[]] | null {
    if (seq < this.#first - 1 || seq >= this.#first + this.#notes.length - 1) return null;
    return this.#notes.slice(seq + 1 - this.#first) as [Note, ...Note[]];
  }
}
