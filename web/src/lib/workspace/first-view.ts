import * as v from 'valibot';
import type { WorkspaceData } from './model.ts';

/** Panels behind each other, of which one is in front. */
export interface Group {
  /** Pixels along the row or column that it is in. */
  readonly size: number;
  readonly tabs: readonly string[];
  readonly front: string;
}

/** A row or a column; rows hold columns, and columns rows. */
export interface Split {
  /** Pixels along the row or column that it is in. */
  readonly size: number;
  readonly isRow: boolean;
  readonly parts: readonly (Group | Split)[];
}

const size = v.pipe(v.number(), v.finite(), v.minValue(0));
const leaf = v.object({
  type: v.literal('leaf'),
  size: v.optional(size, 0),
  visible: v.optional(v.boolean(), true),
  data: v.object({
    views: v.array(v.string()),
    activeView: v.optional(v.string()),
    // Headers that are elsewhere, or not at all, are the library's to draw.
    hideHeader: v.optional(v.literal(false)),
    headerPosition: v.optional(v.literal('top')),
  }),
});
type Leaf = v.InferOutput<typeof leaf>;
interface Room {
  readonly width: number;
  readonly height: number;
}
interface Branch {
  readonly type: 'branch';
  readonly size: number;
  readonly visible: boolean;
  readonly data: (Leaf | Branch)[];
}
const branch: v.GenericSchema<unknown, Branch> = v.object({
  type: v.literal('branch'),
  size: v.optional(size, 0),
  visible: v.optional(v.boolean(), true),
  data: v.array(v.lazy(() => v.union([leaf, branch]))),
});
const grid = v.object({
  root: branch,
  orientation: v.picklist(['HORIZONTAL', 'VERTICAL']),
  maximizedNode: v.optional(v.object({ location: v.array(v.number()) })),
});

/** Pixels that the library leaves a group at least. */
const LEAST = 100;

/**
 * Where the panels of a saved layout are, for as long as the docking library is not there: what it leaves out, or
 * cannot read, that has the last word on.
 * @param room that there is now, pixels: of that each has the share that it had
 * @param ids of the workspace's panels
 * @returns null where it would not be what the library makes of it
 */
export function firstView(
  layout: WorkspaceData['layout'],
  room: Room,
  ids: ReadonlySet<string>,
): Split | null {
  const { success, output } = v.safeParse(
    v.object({ grid, panels: v.record(v.string(), v.unknown()) }),
    layout,
  );
  if (!success) return null;
  const { root, orientation, maximizedNode } = output.grid;
  const placed = panelsIn(root);
  const isKnown = (id: string) => ids.has(id) && id in output.panels;
  if (placed.length !== ids.size || new Set(placed).size !== ids.size || !placed.every(isKnown)) return null;
  const shown = alone(root, maximizedNode?.location ?? []);
  const isRow = orientation === 'HORIZONTAL';
  const view = splitOf(shown, isRow, isRow ? room.height : room.width, room);
  return view.parts.length > 0 ? view : null;
}

/** The panels that are seen in it. */
export function frontPanels(node: Group | Split): string[] {
  return 'front' in node ? [node.front] : node.parts.flatMap(frontPanels);
}

/** Of a branch what leads to one group that is shown alone; all of it where the way is empty, or leads nowhere. */
function alone(node: Branch, [first, ...rest]: readonly number[]): Branch {
  const child = first === undefined ? undefined : node.data[first];
  if (!child) return node;
  return { ...node, data: [child.type === 'branch' ? alone(child, rest) : child] };
}

function panelsIn(node: Leaf | Branch): string[] {
  return node.type === 'leaf' ? node.data.views : node.data.flatMap(panelsIn);
}

/** @param size of it, along what it is in; @param room that it has */
function splitOf(node: Branch, isRow: boolean, size: number, room: Room): Split {
  const children = node.data.filter(isShown);
  const sizes = sizesOf(children, isRow, isRow ? room.width : room.height);
  const parts = children.map((child, index): Group | Split => {
    const own = sizes[index]!;
    if (child.type === 'branch') {
      const within = isRow ? { ...room, width: own } : { ...room, height: own };
      return splitOf(child, !isRow, own, within);
    }
    const { views: tabs, activeView } = child.data;
    // The library brings the one to the front that it adds last.
    const front = activeView !== undefined && tabs.includes(activeView) ? activeView : tabs.at(-1)!;
    return { size: own, tabs, front };
  });
  return { size, isRow, parts };
}

/** As the library has them: whole pixels, none below the least; what is too much or too little by then the last ones take. */
function sizesOf(children: readonly (Leaf | Branch)[], isRow: boolean, along: number): number[] {
  const total = children.reduce((sum, child) => sum + child.size, 0) || 1;
  const least = children.map((child) => leastOf(child, !isRow, isRow));
  const sizes = children.map((child, i) => Math.max(least[i]!, Math.round((child.size / total) * along)));
  let left = along - sizes.reduce((sum, size) => sum + size, 0);
  for (let i = sizes.length - 1; i >= 0 && left !== 0; i--) {
    const next = Math.max(least[i]!, sizes[i]! + left);
    left -= next - sizes[i]!;
    sizes[i] = next;
  }
  return sizes;
}

/** The least width (`ofWidth`) or height of what is in a node that is a row, or a column. */
function leastOf(node: Leaf | Branch, isRow: boolean, ofWidth: boolean): number {
  if (node.type === 'leaf') return LEAST;
  const parts = node.data.filter(isShown).map((child) => leastOf(child, !isRow, ofWidth));
  return isRow === ofWidth ? parts.reduce((sum, one) => sum + one, 0) : Math.max(...parts);
}

function isShown(node: Leaf | Branch): boolean {
  if (!node.visible) return false;
  return node.type === 'leaf' ? node.data.views.length > 0 : node.data.some(isShown);
}
