import type { App } from '../state/app.svelte.ts';
import { densities, palettes, themes } from '../state/preferences.svelte.ts';
import { panelKinds } from '../workspace/model.ts';
import { panelDescriptions } from '../workspace/panels.ts';
import { presets } from '../workspace/presets.ts';

/** Something that can be asked for from the palette, by a key, or both. */
export interface Command {
  readonly id: string;
  readonly title: string;
  readonly group: 'Panels' | 'Alerts' | 'Workspaces' | 'Display' | 'Go to';
  /** As the key library writes them. */
  readonly keys?: string;
  /** What a finger or an eye may look for beside the title. */
  readonly words?: string;
  run(): void;
}

/** Of commands that are there only while panels are docked. */
export const panelKeys = {
  maximise: 'Alt+KeyM',
  next: 'Alt+BracketRight',
  previous: 'Alt+BracketLeft',
  close: 'Alt+KeyW',
} as const;

/** What the dialogs of the page do. */
export interface Dialogs {
  showPalette(): void;
  showShortcuts(): void;
  /** Asks for a name of the workspace. */
  rename(): void;
  share(): void;
  exportFile(): void;
  importFile(): void;
}

/** All that can be asked for now. */
export function commandsOf(app: App, dialogs: Dialogs): Command[] {
  const { workspaces, preferences, dock, alerts } = app;
  const panels: Command[] = dock
    ? [
        ...panelKinds.map((kind) => ({
          id: `add-${kind}`,
          title: `Add ${panelDescriptions[kind].title.toLowerCase()}`,
          group: 'Panels' as const,
          words: `panel new ${panelDescriptions[kind].about}`,
          run: () => void dock.add(kind, 'right'),
        })),
        {
          id: 'maximise',
          title: 'Maximise the panel, or restore all',
          group: 'Panels',
          keys: panelKeys.maximise,
          run: () => dock.toggleMaximized(),
        },
        {
          id: 'next',
          title: 'Next panel',
          group: 'Panels',
          keys: panelKeys.next,
          run: () => dock.focus(1),
        },
        {
          id: 'previous',
          title: 'Previous panel',
          group: 'Panels',
          keys: panelKeys.previous,
          run: () => dock.focus(-1),
        },
        {
          id: 'close',
          title: 'Close the panel',
          group: 'Panels',
          keys: panelKeys.close,
          run: () => dock.closeActive(),
        },
      ]
    : [];
  return [
    ...panels,
    {
      id: 'new-alert',
      title: 'New alert',
      group: 'Alerts',
      keys: 'Alt+KeyA',
      words: 'price notify sound',
      run: () => (alerts.draft = { instrument: app.selectedId, alert: null }),
    },
    {
      id: 'mute-alerts',
      title: alerts.isMuted ? 'Let alerts sound' : 'Mute the sound of alerts',
      group: 'Alerts',
      run: () => (alerts.isMuted = !alerts.isMuted),
    },
    ...workspaces.all
      .filter((workspace) => workspace !== workspaces.current)
      .map((workspace) => ({
        id: `open-${workspace.id}`,
        title: `Open workspace “${workspace.name}”`,
        group: 'Workspaces' as const,
        run: () => workspaces.open(workspace.id),
      })),
    ...presets.map((preset) => ({
      id: `new-${preset.id}`,
      title: `New workspace: ${preset.name}`,
      group: 'Workspaces' as const,
      words: preset.about,
      run: () => void workspaces.createFrom(preset),
    })),
    {
      id: 'undo',
      title: 'Undo the last change of the workspace',
      group: 'Workspaces',
      keys: '$mod+KeyZ',
      run: () => workspaces.undo(),
    },
    { id: 'redo', title: 'Redo', group: 'Workspaces', keys: '$mod+Shift+KeyZ', run: () => workspaces.redo() },
    { id: 'rename', title: 'Rename the workspace', group: 'Workspaces', run: () => dialogs.rename() },
    {
      id: 'duplicate',
      title: 'Duplicate the workspace',
      group: 'Workspaces',
      words: 'copy',
      run: () => void workspaces.duplicate(),
    },
    {
      id: 'share',
      title: 'Copy a link to the workspace',
      group: 'Workspaces',
      words: 'share',
      run: () => dialogs.share(),
    },
    {
      id: 'export',
      title: 'Save the workspace to a file',
      group: 'Workspaces',
      words: 'export download',
      run: () => dialogs.exportFile(),
    },
    {
      id: 'import',
      title: 'Open a workspace from a file',
      group: 'Workspaces',
      words: 'import load',
      run: () => dialogs.importFile(),
    },
    {
      id: 'delete',
      title: 'Delete the workspace',
      group: 'Workspaces',
      words: 'remove',
      run: () => workspaces.remove(workspaces.current),
    },
    ...themes.map((theme) => ({
      id: `theme-${theme}`,
      title: `Theme: ${theme}`,
      group: 'Display' as const,
      words: 'colour appearance mode',
      run: () => (preferences.theme = theme),
    })),
    ...palettes.map((palette) => ({
      id: `palette-${palette}`,
      title: `Colours: ${palette.replace('-', ' and ')}`,
      group: 'Display' as const,
      words: 'palette colour-blind red up',
      run: () => (preferences.palette = palette),
    })),
    ...densities.map((density) => ({
      id: `density-${density}`,
      title: `Density: ${density}`,
      group: 'Display' as const,
      run: () => (preferences.density = density),
    })),
    {
      id: 'palette',
      title: 'Search instruments and commands',
      group: 'Go to',
      keys: '$mod+KeyK',
      run: () => dialogs.showPalette(),
    },
    {
      id: 'shortcuts',
      title: 'Keyboard shortcuts',
      group: 'Go to',
      keys: 'Shift+?',
      words: 'help keys',
      run: () => dialogs.showShortcuts(),
    },
    {
      id: 'feeds',
      title: 'Feeds: how good each one is',
      group: 'Go to',
      run: () => location.assign('/feeds'),
    },
    {
      id: 'inspector',
      title: 'Inspector: the frames of the protocol',
      group: 'Go to',
      run: () => location.assign('/inspector'),
    },
  ];
}

/** Those that have every word of the query in their title, group or words; those with it in the title first. */
export function findCommands(commands: readonly Command[], query: string): Command[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (text: string) => words.every((word) => text.toLowerCase().includes(word));
  return [
    ...commands.filter(({ title }) => has(title)),
    ...commands.filter(
      ({ title, group, words: more = '' }) => !has(title) && has(`${title} ${group} ${more}`),
    ),
  ];
}

/** Keys as people read them: `Ctrl Shift Z`. */
export function showKeys(keys: string, isMac: boolean): string {
  const names: Record<string, string> = {
    $mod: isMac ? '⌘' : 'Ctrl',
    Alt: isMac ? '⌥' : 'Alt',
    BracketLeft: '[',
    BracketRight: ']',
  };
  return keys
    .split('+')
    .filter((key, _, all) => !(key === 'Shift' && all.at(-1) === '?'))
    .map((key) => names[key] ?? key.replace(/^Key/, ''))
    .join(' ');
}
