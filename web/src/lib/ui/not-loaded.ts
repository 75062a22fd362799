import { m } from '../paraglide/messages.js';
import type { App } from '../state/app.svelte.ts';

/** Why a part of the page did not come: a server that can be reached has another version of it by now. */
export function notLoaded({ connection }: Pick<App, 'connection'>): string {
  return connection.isOpen ? m.part_outdated() : m.part_not_loaded();
}
