/** Written by the build beside the dashboard, of the same origin as it. */
const SCRIPT = '/widgets.js';
const MANIFEST = '/widgets/manifest.json';

let loading: Promise<unknown> | null = null;

/** Defines the elements, as a page elsewhere would. Where it failed, the next one tries again. */
export async function loadWidgets(): Promise<void> {
  loading ??= import(/* @vite-ignore */ SCRIPT);
  try {
    await loading;
  } catch (error) {
    loading = null;
    throw error;
  }
}

export interface Release {
  readonly version: string;
  /** Of the script of the version. */
  readonly integrity: string;
}

export async function fetchRelease(): Promise<Release | null> {
  const response = await fetch(MANIFEST);
  if (!response.ok) return null;
  const { version, files } = (await response.json()) as { version: string; files: Record<string, string> };
  const integrity = files['widgets.js'];
  return integrity === undefined ? null : { version, integrity };
}
