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
  data: v.object({ views: v.array(v.string()), activeView: v.optional(v.string()) }),
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

/**
 * Where the panels of a saved layout are, for as long as the docking library is not there: what it leaves out, or
 * cannot read, that has the last word on.
 * @param room that there is now, pixels: of that each has the share that it had
 * @param has whether the workspace has such a panel
 * @returns null where there is nothing that could be shown
 */
export function firstView(
  layout: WorkspaceData['layout'],
  room: Room,
  has: (id: string) => boolean,
): Split | null {
  const { success, output } = v.safeParse(v.object({ grid }), layout);
  if (!success) return null;
  const { root, orientation, maximizedNode } = output.grid;
  const shown = alone(root, maximizedNode?.location ?? []);
  const isRow = orientation === 'HORIZONTAL';
  const view = splitOf(shown, isRow, isRow ? room.height : room.width, room, has);
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

/** @param size of it, along what it is in; @param room that it has */
function splitOf(
  node: Branch,
  isRow: boolean,
  size: number,
  room: Room,
  has: (id: string) => boolean,
): Split {
  const along = isRow ? room.width : room.height;
  const children = node.data.filter((child) => child.visible && isShown(child, has));
  const total = children.reduce((sum, child) => sum + child.size, 0);
  let rest = along;
  const parts = children.map((child, index): Group | Split => {
    // Whole pixels, and what is left over goes to the last one: so does the library.
    const isLast = index === children.length - 1;
    const share = isLast ? rest : Math.round((child.size / (total || 1)) * along);
    rest -= share;
    if (child.type === 'branch') {
      const own = isRow ? { ...room, width: share } : { ...room, height: share };
      return splitOf(child, !isRow, share, own, has);
    }
    const tabs = child.data.views.filter(has);
    const { activeView } = child.data;
    const front = activeView !== undefined && tabs.includes(activeView) ? activeView : tabs[0]!;
    return { size: share, tabs, front };
  });
  return { size, isRow, parts };
}

function isShown(node: Leaf | Branch, has: (id: string) => boolean): boolean {
  if (node.type === 'leaf') return node.data.views.some(has);
  return node.data.some((child) => child.visible && isShown(child, has));
}
