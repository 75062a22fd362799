import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { History } from './history.ts';
import { MAX_PANELS, readFile, writeFile } from './model.ts';
import { fromPreset, presets } from './presets.ts';
import { linkTo, workspaceIn } from './share.ts';

const room = { width: 1440, height: 820 };
const page = 'https://desk.example/?instrument=sim:BTC-USD';

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

type Node = { type: string; size: number; data: Node[] | { views: string[] } };

function leavesOf({ data }: Node): string[] {
  return Array.isArray(data) ? data.flatMap(leavesOf) : data.views;
}

describe('a preset', () => {
  test.each(presets.map((preset) => [preset.name, preset] as const))(
    '%s has each of its panels once, and fills the room',
    (_, preset) => {
      for (const width of [800, 1440, 3840]) {
        const { panels, layout } = fromPreset(preset, { ...room, width });
        const root = layout!.grid.root as unknown as Node;
        expect(leavesOf(root).sort()).toEqual(Object.keys(panels).sort());
        expect(Object.keys(layout!.panels).sort()).toEqual(Object.keys(panels).sort());
        const sum = (root.data as Node[]).reduce((total, { size }) => total + size, 0);
        expect(sum).toBeCloseTo(width);
        expect(readFile(writeFile(fromPreset(preset, room)))).toEqual(fromPreset(preset, room));
      }
    },
  );
});

describe('a file', () => {
  const valid = fromPreset(presets[0]!, room);
  const written = (changes: object) => writeFile({ ...valid, ...changes } as typeof valid);

  test.each([
    ['what is no JSON', '{', /expected a workspace that was exported/],
    ['what is something else', '{"format":"excalidraw"}', /^format: .*"depthwire-workspace"/],
    ['one of a later version', written({}).replace('"version":1', '"version":2'), /^version: .*1/],
    [
      'one that is nested without end',
      written({ panels: { 'chart-1': { ...valid.panels['chart-1'], settings: { x: nested(500) } } } }),
      /nested at most 100 deep/,
    ],
    ['a name that is none', written({ name: '  ' }), /^workspace\.name: /],
    [
      'a panel that there is not',
      written({ panels: { a: { ...valid.panels['chart-1'], kind: 'oracle' } } }),
      /^workspace\.panels\.a\.kind: .*"watchlist"/,
    ],
    ['a colour that there is not', written({ links: { mauve: null } }), /^workspace\.links/],
    [
      'more panels than anybody can see',
      written({
        panels: Object.fromEntries(
          Array.from({ length: MAX_PANELS + 1 }, (_, i) => [`chart-${i}`, valid.panels['chart-1']]),
        ),
      }),
      /at most 60 panels/,
    ],
  ])('is refused: %s', (_, text, message) => {
    expect(() => readFile(text)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        message: expect.stringMatching(message) as string,
      }) as Error,
    );
  });
});

describe('a link', () => {
  test('holds the workspace, in the part that no server sees, and nothing of the address before', async () => {
    for (const preset of presets) {
      const data = fromPreset(preset, room);
      const link = new URL(await linkTo(data, page));
      expect(link.origin + link.pathname + link.search).toBe('https://desk.example/');
      expect(link.href.length).toBeLessThan(2_000);
      expect(await workspaceIn(link.hash)).toEqual(data);
    }
  });

  test('is refused where it is cut, made up, or unpacks to more than there is room for', async () => {
    const link = new URL(await linkTo(fromPreset(presets[0]!, room), page));
    expect(await workspaceIn('')).toBeNull();
    for (const hash of [link.hash.slice(0, -20), '#workspace=***', '#workspace=AAAA', '#workspace='])
      await expect(workspaceIn(hash)).rejects.toMatchObject({ code: 'invalid_request' });
    const packing = new Blob(['x'.repeat(5_000_000)])
      .stream()
      .pipeThrough(new CompressionStream('deflate-raw'));
    const bomb = Buffer.from(await new Response(packing).arrayBuffer()).toString('base64url');
    await expect(workspaceIn(`#workspace=${bomb}`)).rejects.toThrow('more than 200000 characters');
    const large = { ...fromPreset(presets[0]!, room), name: 'x'.repeat(200_000) };
    await expect(linkTo(large, page)).rejects.toThrow('export it to a file instead');
  });
});

describe('the history', () => {
  const step = (text: string, key = text, panels = 'chart-1') => ({ text, key, panels });

  test('undoes and redoes what was done, as far as it remembers', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('do', 'undo', 'redo'), { maxLength: 120 }), (moves) => {
        const history = new History(step('0'));
        const past: string[] = [];
        const future: string[] = [];
        let now = '0';
        for (const [i, move] of moves.entries()) {
          if (move === 'do') {
            past.push(now);
            past.splice(0, past.length - 50);
            future.length = 0;
            now = String(i + 1);
            history.record(step(now));
          } else {
            const [from, to] = move === 'undo' ? [past, future] : [future, past];
            const expected = from.pop() ?? null;
            if (expected !== null) {
              to.push(now);
              now = expected;
            }
            expect(move === 'undo' ? history.undo() : history.redo()).toBe(expected);
          }
          expect([history.canUndo, history.canRedo]).toEqual([past.length > 0, future.length > 0]);
        }
      }),
    );
  });

  test('takes no step for what comes to the same, nor for what changes by itself', () => {
    const history = new History(step('a'));
    history.record(step('a with another tab in front', 'a'));
    expect(history.canUndo).toBe(false);
    history.amend(step('a in a wider window', 'wider'));
    history.record(step('b'));
    expect(history.undo()).toBe('a in a wider window');
    expect(history.undo()).toBeNull();
  });

  test('a panel that comes while the layout changes by itself is a step', () => {
    const history = new History(step('a'));
    history.amend(step('a and feeds', 'wider', 'chart-1,feeds-1'));
    expect(history.undo()).toBe('a');
    expect(history.redo()).toBe('a and feeds');
  });
});
