import { expect, test } from 'vitest';
import { firstView as viewOf, frontPanels, type Split } from './first-view.ts';
import type { WorkspaceData } from './model.ts';
import { fromPreset, presets } from './presets.ts';

type Layout = WorkspaceData['layout'];

const hidden = (...views: string[]) => ({
  type: 'leaf',
  size: 250,
  data: { id: 'h', views, hideHeader: true },
});
const ROOM = { width: 1000, height: 601 };
const leaf = (size: number, ...views: string[]) => ({
  type: 'leaf',
  size,
  data: { id: views.join(), views, activeView: views[0] },
});
const branch = (size: number, ...data: object[]) => ({ type: 'branch', size, data });
const layoutOf = (root: object, more: object = {}) =>
  ({
    grid: { root, width: 500, height: 300, orientation: 'HORIZONTAL', ...more },
    panels: { a: {}, b: {}, c: {}, d: {} },
  }) as unknown as Layout;
/** Of a workspace of just the panels that are named. */
const firstView = (layout: Layout, ...ids: string[]) => viewOf(layout, ROOM, new Set(ids));
const sizes = (view: Split | null) => view?.parts.map(({ size }) => size);

test('a group has the share of the room that it had, in whole pixels that fill it', () => {
  const layout = layoutOf(branch(300, leaf(125, 'a'), branch(375, leaf(100, 'b', 'c'), leaf(200, 'd'))));
  expect(firstView(layout, 'a', 'b', 'c', 'd')).toEqual({
    size: 601,
    isRow: true,
    parts: [
      { size: 250, tabs: ['a'], front: 'a' },
      {
        size: 750,
        isRow: false,
        parts: [
          { size: 200, tabs: ['b', 'c'], front: 'b' },
          { size: 401, tabs: ['d'], front: 'd' },
        ],
      },
    ],
  });
});

test('what is hidden takes no room', () => {
  const layout = layoutOf(branch(300, { ...leaf(125, 'a'), visible: false }, leaf(250, 'b')));
  expect(firstView(layout, 'a', 'b')?.parts).toEqual([{ size: 1000, tabs: ['b'], front: 'b' }]);
});

test('none is smaller than the library leaves it, and others give what it needs', () => {
  const nested = branch(50, leaf(150, 'c'), leaf(150, 'd'));
  expect(sizes(firstView(layoutOf(branch(300, leaf(25, 'a'), leaf(475, 'b'))), 'a', 'b'))).toEqual([
    100, 900,
  ]);
  expect(
    sizes(firstView(layoutOf(branch(300, leaf(240, 'a'), leaf(210, 'b'), nested)), 'a', 'b', 'c', 'd')),
  ).toEqual([480, 420, 100]);
  expect(
    sizes(firstView(layoutOf(branch(300, leaf(450, 'a'), leaf(25, 'b'), leaf(25, 'c'))), 'a', 'b', 'c')),
  ).toEqual([800, 100, 100]);
});

test('the last one is in front where none is said to be', () => {
  const group = { type: 'leaf', size: 500, data: { id: '1', views: ['a', 'b'] } };
  expect(frontPanels(firstView(layoutOf(branch(300, group)), 'a', 'b')!)).toEqual(['b']);
});

test('a group that is maximised is shown alone', () => {
  const root = branch(300, leaf(125, 'a'), branch(375, leaf(100, 'b'), leaf(200, 'c')));
  const frontOf = (location: number[]) =>
    frontPanels(firstView(layoutOf(root, { maximizedNode: { location } }), 'a', 'b', 'c')!);
  expect(frontOf([1, 0])).toEqual(['b']);
  expect(frontOf([7])).toEqual(['a', 'b', 'c']);
});

test.each([
  ['one that is in a group twice', branch(300, leaf(250, 'a', 'a', 'b'))],
  ['one that is in two groups', branch(300, leaf(250, 'a'), leaf(250, 'a', 'b'))],
  ['one that is in no group', branch(300, leaf(250, 'a'))],
  ['one that the workspace has not', branch(300, leaf(250, 'a', 'b', 'c'))],
  ['a group without a header', branch(300, leaf(250, 'a'), hidden('b'))],
])('with %s the library has the word', (_, root) => {
  expect(firstView(layoutOf(root), 'a', 'b')).toBeNull();
});

test.each([
  ['no layout', null],
  ['another thing', { grid: 7, panels: {} }],
  ['a group without its panels', layoutOf(branch(300, { type: 'leaf', size: 1, data: {} }))],
  ['a size that is none', layoutOf(branch(300, leaf(Number.NaN, 'a')))],
  ['nothing in it', layoutOf(branch(300))],
])('of %s nothing is shown', (_, layout) => {
  expect(firstView(layout as Layout, 'a')).toBeNull();
});

test.each(presets)('of the preset $id all panels are seen', (preset) => {
  const { panels, layout } = fromPreset(preset, ROOM);
  const view = firstView(layout, ...Object.keys(panels))!;
  expect(frontPanels(view).sort()).toEqual(Object.keys(panels).sort());
});
