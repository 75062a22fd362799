import { DepthwireError } from '@depthwire/shared';
import * as v from 'valibot';
import type { SerializedDockview } from 'dockview';
import { instrumentGroups } from '../panels/watchlist/groups.ts';
import { m } from '../paraglide/messages.js';

/** What panels there are; the words are in saved workspaces, and never change. */
export const panelKinds = [
  'watchlist',
  'chart',
  'ladder',
  'depth',
  'tape',
  'heatmap',
  'alerts',
  'feeds',
  'inspector',
] as const;
export type PanelKind = (typeof panelKinds)[number];

/** Panels of one colour show one instrument. The first is that of the header. */
export const linkColours = ['blue', 'pink', 'lime', 'sky'] as const;
export type LinkColour = (typeof linkColours)[number];
export const MAIN_LINK: LinkColour = linkColours[0];

/** Most panels of a workspace. */
export const MAX_PANELS = 60;
export const MAX_NAME_CHARS = 60;
/** How deep what is in a workspace may be nested: a layout has two for each split within a split. */
const MAX_DEPTH = 100;

const instrumentId = v.nullable(v.pipe(v.string(), v.maxLength(128)));
const link = v.picklist(linkColours);

const panel = v.object({
  kind: v.picklist(panelKinds),
  /** Null for a panel that follows no other. */
  link: v.nullable(link),
  /** Of a panel that follows no other; null for the one of the header. */
  instrument: instrumentId,
  settings: v.record(v.string(), v.unknown()),
});

const name = v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(MAX_NAME_CHARS));

const workspace = v.object({
  name,
  links: v.record(link, instrumentId),
  panels: v.pipe(
    v.record(v.pipe(v.string(), v.regex(/^[\w-]{1,40}$/)), panel),
    v.check(
      (panels) => Object.keys(panels).length <= MAX_PANELS,
      () => m.workspace_too_many({ most: MAX_PANELS }),
    ),
  ),
  /** As the docking library writes it; null where the panels are to be laid out anew. */
  layout: v.nullable(v.looseObject({ grid: v.looseObject({}), panels: v.record(v.string(), v.unknown()) })),
  /** Of a workspace that somebody shared: the groups of instruments that its panels show. */
  groups: v.optional(instrumentGroups),
});

export type PanelData = v.InferOutput<typeof panel>;
export type WorkspaceData = Omit<v.InferOutput<typeof workspace>, 'layout'> & {
  layout: SerializedDockview | null;
};

const FORMAT = 'depthwire-workspace';
const VERSION = 1;
const file = v.object({ format: v.literal(FORMAT), version: v.literal(VERSION), workspace });

/** What is saved to a file, or in a link. */
export function writeFile(data: WorkspaceData): string {
  return JSON.stringify({ format: FORMAT, version: VERSION, workspace: data });
}

/** @throws DepthwireError `invalid_request`, saying what was expected and where */
export function readFile(text: string): WorkspaceData {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DepthwireError('invalid_request', m.workspace_no_json());
  }
  return take(v.safeParse(file, shallow(value))).workspace as WorkspaceData;
}

/** @throws DepthwireError `invalid_request` */
export function readWorkspace(value: unknown): WorkspaceData {
  return take(v.safeParse(workspace, shallow(value))) as WorkspaceData;
}

/**
 * What is read, compared and written by functions that call themselves may not be nested without end.
 * @throws DepthwireError `invalid_request`
 */
function shallow(value: unknown): unknown {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH)
      throw new DepthwireError('invalid_request', m.workspace_too_deep({ most: MAX_DEPTH }));
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return value;
}

export function isName(text: string): boolean {
  return v.is(name, text);
}

function take<T>(
  result:
    | { success: true; output: T }
    | { success: false; issues: [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]] },
): T {
  if (result.success) return result.output;
  const [issue] = result.issues;
  const at = v.getDotPath(issue);
  throw new DepthwireError('invalid_request', `${at ?? 'workspace'}: ${issue.message}`);
}
