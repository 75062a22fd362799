import type { Bench, Goal } from '../harness/bench.ts';
import { findCaptures } from '../harness/captures.ts';
import { figure } from '../harness/report.ts';
import { expectSameChecks, runRounds } from '../harness/rounds.ts';
import { ORDINARY } from '../harness/trace.ts';
import type { WireOptions } from './contenders.ts';
import type { FormName } from './forms.ts';
import { measureRecording, measureTrace, type RecordingSize } from './sizes.ts';

const TITLES: Record<FormName, string> = {
  depthwire: 'depthwire',
  distances: 'msgpackr, array of distances and lots',
  objects: 'msgpackr, plain objects',
  json: 'JSON, decimals as texts',
};
const NAMES = Object.keys(TITLES) as FormName[];

/** Times through all messages in a round, so that each takes some tenths of a second. */
const PASSES: Record<FormName, number> = { depthwire: 40, distances: 20, objects: 10, json: 5 };

export const wire: Bench = {
  name: 'wire',
  title: 'book updates on the wire: bytes, encoding, decoding',
  async run({ size, progress }) {
    const isSmoke = size === 'smoke';
    progress('bytes of the trace');
    const sizes = measureTrace(isSmoke ? { ...ORDINARY, updates: 20_000 } : ORDINARY);
    const recordings: RecordingSize[] = [];
    for (const file of isSmoke ? [] : findCaptures('binance-usdm-', 'binance-spot-')) {
      progress(`bytes of ${file}`);
      recordings.push(await measureRecording(file));
    }
    const measure = async (work: WireOptions['work']) => {
      const trace = { ...ORDINARY, updates: isSmoke ? 6_000 : 120_000 };
      const measured = await runRounds({
        module: import.meta.resolve('./contenders.ts'),
        contenders: Object.fromEntries(
          NAMES.map((name) => {
            const options: WireOptions = { trace, work, passes: isSmoke ? 1 : PASSES[name] };
            return [name, { name, options }];
          }),
        ),
        rounds: isSmoke ? 1 : 7,
        warmUp: isSmoke ? 0 : 3,
        progress: (text) => progress(text === '' ? '' : `${work}: ${text}`),
      });
      expectSameChecks(measured);
      return measured;
    };
    const encoded = await measure('encode');
    const decoded = await measure('decode');

    const figuresOf = (name: FormName) => ({
      bytesPerLevel: sizes[name].perLevel,
      bytesPerChange: sizes[name].perChange,
      encodeNs: encoded[name]!.nsPerUnit,
      decodeNs: decoded[name]!.nsPerUnit,
    });
    const times = (name: FormName, of: keyof ReturnType<typeof figuresOf>) =>
      figuresOf(name)[of] / figuresOf('depthwire')[of];
    const venueBytes = recordings.reduce((sum, recording) => sum + recording.venueBytes, 0);
    const bytes = recordings.reduce((sum, recording) => sum + recording.bytes, 0);
    const ratios = {
      encode: times('json', 'encodeNs'),
      decode: times('json', 'decodeNs'),
      bytesOfTrace: times('json', 'bytesPerLevel'),
      ...(recordings.length > 0 && { bytesOfRecordings: venueBytes / bytes }),
    };
    const goals: Goal[] = [
      { name: 'bytes a level, whole messages', value: sizes.depthwire.perLevel, bound: { atMost: 4.1 } },
      { name: 'JSON / ours, encoding', value: ratios.encode, bound: { atLeast: 6 } },
      { name: 'JSON / ours, decoding', value: ratios.decode, bound: { atLeast: 9 } },
    ];
    if (recordings.length > 0)
      goals.push({
        name: "venue's bytes / ours, recorded",
        value: venueBytes / bytes,
        bound: { atLeast: 7 },
      });
    return {
      bench: 'wire',
      ours: figuresOf('depthwire'),
      peers: Object.fromEntries(
        NAMES.filter((name) => name !== 'depthwire').map((name) => [name, figuresOf(name)]),
      ),
      ratios,
      goals,
      tables: [
        {
          title: 'Batches of about 12 updates of the trace, whole messages; CPU time for a message',
          rows: [
            ['', 'bytes a level', 'bytes an update', 'encode ns', 'times', 'decode ns', 'times', 'spread'],
            ...NAMES.map((name) => [
              TITLES[name],
              figure(sizes[name].perLevel),
              figure(sizes[name].perChange),
              figure(encoded[name]!.nsPerUnit),
              figure(times(name, 'encodeNs')),
              figure(decoded[name]!.nsPerUnit),
              figure(times(name, 'decodeNs')),
              `${(Math.max(encoded[name]!.spread, decoded[name]!.spread) * 100).toFixed(1)} %`,
            ]),
          ],
        },
        recordingTable(recordings),
      ],
      noise: Math.max(...[encoded, decoded].flatMap((all) => Object.values(all).map(({ spread }) => spread))),
    };
  },
};

function recordingTable(recordings: readonly RecordingSize[]) {
  if (recordings.length === 0)
    return { title: 'Recorded depth frames of the venue: not measured, none are there', rows: [['']] };
  return {
    title: 'Recorded depth frames of the venue, and ours with all of their levels',
    rows: [
      ['recording', 'levels', 'bytes a level, venue', 'ours', 'times'],
      ...recordings.map(({ name, levels, venueBytes, bytes }) => [
        name,
        figure(levels),
        figure(venueBytes / levels),
        figure(bytes / levels),
        figure(venueBytes / bytes),
      ]),
    ],
  };
}
