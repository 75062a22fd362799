import { expect, test } from 'vitest';
import type { WorkspaceData } from './model.ts';
import { firstView, frontPanels } from './first-view.ts';
import { fromPreset, presets } from './presets.ts';

type Layout = WorkspaceData['layout'];

const ROOM = { width: 1000, height: 601 };
const anything = () => true;
const leaf = (size: number, ...views: string[]) => ({
  type: 'leaf',
  size,
  data: { id: views.join(), views, activeView: views[0] },
});
const branch = (size: number, ...data: object[]) => ({ type: 'branch', size, data });
const layoutOf = (root: object, more: object = {}) =>
  ({ grid: { root, width: 500, height: 300, orientation: 'HORIZONTAL', ...more }, panels: {} }) as Layout;

test('a group has the share of the room that it had, in whole pixels that fill it', () => {
  const layout = layoutOf(branch(300, leaf(125, 'a'), branch(375, leaf(100, 'b', 'c'), leaf(200, 'd'))));
  expect(firstView(layout, ROOM, anything)).toEqual({
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

test('what is hidden, and what the workspace has not, takes no room', () => {
  const layout = layoutOf(
    branch(300, { ...leaf(125, 'a'), visible: false }, branch(125, leaf(1, 'gone')), leaf(250, 'gone', 'b')),
  );
  const view = firstView(layout, ROOM, (id) => id !== 'gone');
  expect(view?.parts).toEqual([{ size: 1000, tabs: ['b'], front: 'b' }]);
});

test('a group that is maximised is shown alone', () => {
  const root = branch(300, leaf(125, 'a'), branch(375, leaf(100, 'b'), leaf(200, 'c')));
  const view = firstView(layoutOf(root, { maximizedNode: { location: [1, 0] } }), ROOM, anything)!;
  expect(frontPanels(view)).toEqual(['b']);
  const lost = firstView(layoutOf(root, { maximizedNode: { location: [7] } }), ROOM, anything)!;
  expect(frontPanels(lost)).toEqual(['a', 'b', 'c']);
});

test.each([
  ['no layout', null],
  ['another thing', { grid: 7, panels: {} }],
  ['a group without its panels', layoutOf(branch(300, { type: 'leaf', size: 1, data: {} }))],
  ['a size that is none', layoutOf(branch(300, leaf(Number.NaN, 'a')))],
  ['nothing in it', layoutOf(branch(300))],
])('of %s nothing is shown', (_, layout) => {
  expect(firstView(layout as Layout, ROOM, anything)).toBeNull();
});

test.each(presets)('of the preset $id all panels are seen', (preset) => {
  const { panels, layout } = fromPreset(preset, ROOM);
  const view = firstView(layout, ROOM, (id) => id in panels)!;
  expect(frontPanels(view).sort()).toEqual(Object.keys(panels).sort());
});
