/** Notes that follow each other. */
export interface Tune {
  /** Pitch of each note, hertz. */
  readonly notes: readonly number[];
  /** How long each note is, seconds. */
  readonly noteS: number;
  /** 0 to 1. */
  readonly volume: number;
  /** Left out where another began less than so long ago, seconds; always played where not given. */
  readonly apartS?: number;
}

/** How long a browser may take to give the device, before the moment of the tune is over. */
const PATIENCE_MS = 300;
/** After the last note the device is let go. */
const REST_MS = 1_500;

let context: AudioContext | null = null;
let resting: ReturnType<typeof setTimeout> | undefined;
let lastAtS = -Infinity;

/** Whether nobody has clicked or typed yet: browsers keep a page silent until then. */
export function isUntouched(): boolean {
  return !(navigator.userActivation?.hasBeenActive ?? true);
}

/**
 * Takes the device, without a sound: some browsers give it only while somebody does something with the page.
 * @returns whether the browser lets the page sound
 */
export async function prepareSound(): Promise<boolean> {
  return (await running()) !== null;
}

/**
 * Plays a tune.
 * @returns whether the browser lets the page sound
 */
export async function playTune({ notes, noteS, volume, apartS = 0 }: Tune): Promise<boolean> {
  const device = await running();
  if (!device) return false;
  const { currentTime } = device;
  if (currentTime - lastAtS < apartS) return true;
  lastAtS = currentTime;
  for (const [index, hertz] of notes.entries()) {
    playNote(device, { hertz, atS: currentTime + index * noteS, lengthS: noteS, volume });
  }
  return true;
}

async function running(): Promise<AudioContext | null> {
  clearTimeout(resting);
  // Known before it is tried, which would leave a warning in the console.
  if (isUntouched()) return null;
  try {
    const device = (context ??= new AudioContext());
    // Where it is not let it waits for a click, maybe for ever.
    await Promise.race([device.resume(), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
    clearTimeout(resting);
    resting = setTimeout(() => void device.suspend(), REST_MS);
    return device.state === 'running' ? device : null;
  } catch {
    return null; // no device, or no leave
  }
}

interface Note {
  readonly hertz: number;
  readonly atS: number;
  readonly lengthS: number;
  readonly volume: number;
}

function playNote(device: AudioContext, { hertz, atS, lengthS, volume }: Note): void {
  const tone = new OscillatorNode(device, { frequency: hertz });
  const gain = new GainNode(device, { gain: 0 });
  // Without a slope at both ends it would click.
  gain.gain.setValueAtTime(0, atS);
  gain.gain.linearRampToValueAtTime(volume, atS + 0.01);
  gain.gain.exponentialRampToValueAtTime(0.0001, atS + lengthS);
  tone.connect(gain).connect(device.destination);
  tone.start(atS);
  tone.stop(atS + lengthS);
}
