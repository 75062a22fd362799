/** How long a tone sounds, seconds. */
const LENGTH = 0.09;
const LOUDNESS = 0.12;
/** Tones closer than this would be a noise, seconds. */
const APART = 0.06;

let context: AudioContext | null = null;
let lastAt = -Infinity;

/**
 * Plays a short tone, unless one has just begun. Browsers are silent until the page was clicked or typed
 * into: before that nothing is heard.
 * @param hertz pitch
 */
export function playTone(hertz: number): void {
  context ??= new AudioContext();
  if (context.state === 'suspended') {
    // A tone that waited for a click would come at the wrong time.
    void context.resume();
    return;
  }
  const at = context.currentTime;
  if (at - lastAt < APART) return;
  lastAt = at;
  const tone = new OscillatorNode(context, { type: 'sine', frequency: hertz });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setValueAtTime(0, at);
  // Without an edge, which would click.
  volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.008);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + LENGTH);
  tone.connect(volume).connect(context.destination);
  tone.start(at);
  tone.stop(at + LENGTH);
}
