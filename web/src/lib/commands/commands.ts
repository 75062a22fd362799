import { m } from '../paraglide/messages.js';
import { baseLocale } from '../paraglide/runtime.js';
import type { App } from '../state/app.svelte.ts';
import { language, languageName, locales, type Locale } from '../state/language.svelte.ts';
import { contrasts, densities, palettes, themes } from '../state/preferences.svelte.ts';
import { phone } from '../ui/phone.ts';
import type { Docking } from '../workspace/docking.ts';
import { panelKinds } from '../workspace/model.ts';
import { panelDescriptions } from '../workspace/panels.ts';
import { presets } from '../workspace/presets.ts';
import { keys, panelKeys } from './keys.ts';

/** Something that can be asked for from the palette, by a key, or both. */
export interface Command {
  readonly id: string;
  readonly title: string;
  readonly group: string;
  /** The title in the language of the page and in English. */
  readonly titles: string;
  /** What a finger or an eye may look for beside the title, in both languages too. */
  readonly words: string;
  /** As the key library writes them. */
  readonly keys?: string;
  run(): void;
}

/** A message, in the language of the page or another. */
type Say = (inputs?: object, options?: { locale?: Locale }) => string;

const groups = {
  panels: m.group_panels,
  alerts: m.group_alerts,
  workspaces: m.group_workspaces,
  display: m.group_display,
  goTo: m.group_go_to,
} as const satisfies Record<string, Say>;

interface Spec {
  readonly id: string;
  readonly title: Say;
  readonly group: keyof typeof groups;
  readonly keys?: string;
  readonly words?: readonly Say[];
  run(): void;
}

/** Who learnt a command in English, or from the documentation, finds it in any language. */
const inBoth = (say: Say) => `${say()} ${say({}, { locale: baseLocale })}`;

function commandOf({ id, title, group, words = [], run, ...rest }: Spec): Command {
  return {
    id,
    title: title(),
    group: groups[group](),
    titles: inBoth(title),
    words: [groups[group], ...words].map(inBoth).join(' '),
    ...rest,
    run,
  };
}

/** What the dialogs of the page do. */
export interface Dialogs {
  showPalette(): void;
  showShortcuts(): void;
  /** Asks for a name of the workspace. */
  rename(): void;
  /** Asks for a name of a copy. */
  saveAs(): void;
  share(): void;
  exportFile(): void;
  importFile(): void;
}

/** All that can be asked for now. */
export function commandsOf(app: App, dialogs: Dialogs): Command[] {
  return [
    ...panelCommands(app),
    ...alertCommands(app),
    ...workspaceCommands(app, dialogs),
    ...displayCommands(app),
    ...placeCommands(app, dialogs),
  ].map(commandOf);
}

function panelCommands(app: App): Spec[] {
  if (phone.current) return [];
  const group = 'panels';
  const docked = (run: (dock: Docking) => void) => () => app.whenDocked(run);
  return [
    ...panelKinds.map((kind) => ({
      id: `add-${kind}`,
      title: panelDescriptions[kind].add,
      group: 'panels' as const,
      words: [m.command_add_words, panelDescriptions[kind].about],
      run: docked((dock) => void dock.add(kind, 'right')),
    })),
    {
      id: 'maximise',
      title: m.command_maximise,
      group,
      keys: panelKeys.maximise,
      run: docked((dock) => dock.toggleMaximized()),
    },
    { id: 'next', title: m.command_next, group, keys: panelKeys.next, run: docked((dock) => dock.focus(1)) },
    {
      id: 'previous',
      title: m.command_previous,
      group,
      keys: panelKeys.previous,
      run: docked((dock) => dock.focus(-1)),
    },
    {
      id: 'close',
      title: m.command_close,
      group,
      keys: panelKeys.close,
      run: docked((dock) => dock.closeActive()),
    },
  ];
}

function alertCommands({ alerts, selectedId }: App): Spec[] {
  return [
    {
      id: 'new-alert',
      title: m.command_new_alert,
      group: 'alerts',
      keys: keys.newAlert,
      words: [m.command_new_alert_words],
      run: () => (alerts.draft = { instrument: selectedId, alert: null }),
    },
    {
      id: 'mute-alerts',
      title: alerts.isMuted ? m.command_unmute : m.command_mute,
      group: 'alerts',
      run: () => (alerts.isMuted = !alerts.isMuted),
    },
  ];
}

function workspaceCommands({ workspaces }: App, dialogs: Dialogs): Spec[] {
  const group = 'workspaces';
  return [
    ...workspaces.all
      .filter((workspace) => workspace !== workspaces.current)
      .map((workspace) => ({
        id: `open-${workspace.id}`,
        title: ((_, options) => m.command_open_workspace({ name: workspace.name }, options)) as Say,
        group: 'workspaces' as const,
        run: () => workspaces.open(workspace.id),
      })),
    ...presets.map((preset) => ({
      id: `new-${preset.id}`,
      title: ((_, options) => m.command_new_workspace({ preset: preset.name({}, options) }, options)) as Say,
      group: 'workspaces' as const,
      words: [preset.about],
      run: () => void workspaces.createFrom(preset),
    })),
    { id: 'undo', title: m.command_undo, group, keys: keys.undo, run: () => workspaces.undo() },
    { id: 'redo', title: m.command_redo, group, keys: keys.redo, run: () => workspaces.redo() },
    { id: 'rename', title: m.command_rename, group, run: () => dialogs.rename() },
    {
      id: 'save-as',
      title: m.command_save_as,
      group,
      words: [m.command_duplicate_words],
      run: () => dialogs.saveAs(),
    },
    {
      id: 'duplicate',
      title: m.command_duplicate,
      group,
      words: [m.command_duplicate_words],
      run: () => void workspaces.duplicate(),
    },
    {
      id: 'share',
      title: m.command_share,
      group,
      words: [m.command_share_words],
      run: () => dialogs.share(),
    },
    {
      id: 'export',
      title: m.command_export,
      group,
      words: [m.command_export_words],
      run: () => dialogs.exportFile(),
    },
    {
      id: 'import',
      title: m.command_import,
      group,
      words: [m.command_import_words],
      run: () => dialogs.importFile(),
    },
    {
      id: 'delete',
      title: m.command_delete,
      group,
      words: [m.command_delete_words],
      run: () => workspaces.remove(workspaces.current),
    },
  ];
}

function displayCommands({ preferences }: App): Spec[] {
  const group = 'display';
  return [
    ...themes.map((theme) => ({
      id: `theme-${theme}`,
      title: ((_, options) => m.command_theme({ theme }, options)) as Say,
      group: 'display' as const,
      words: [m.command_theme_words],
      run: () => (preferences.theme = theme),
    })),
    ...palettes.map((palette) => ({
      id: `palette-${palette}`,
      title: ((_, options) => m.command_palette({ palette }, options)) as Say,
      group: 'display' as const,
      words: [m.command_palette_words],
      run: () => (preferences.palette = palette),
    })),
    ...contrasts.map((contrast) => ({
      id: `contrast-${contrast}`,
      title: ((_, options) => m.command_contrast({ contrast }, options)) as Say,
      group: 'display' as const,
      words: [m.command_contrast_words],
      run: () => (preferences.contrast = contrast),
    })),
    ...densities.map((density) => ({
      id: `density-${density}`,
      title: ((_, options) => m.command_density({ density }, options)) as Say,
      group: 'display' as const,
      words: [m.command_density_words],
      run: () => (preferences.density = density),
    })),
    {
      id: 'language-auto',
      title: m.command_language_auto,
      group,
      words: [m.command_language_words],
      run: () => (language.choice = 'auto'),
    },
    ...locales.map((locale) => ({
      id: `language-${locale}`,
      title: ((_, options) => m.command_language({ language: languageName(locale) }, options)) as Say,
      group: 'display' as const,
      words: [m.command_language_words],
      run: () => (language.choice = locale),
    })),
  ];
}

function placeCommands({ tour, install }: App, dialogs: Dialogs): Spec[] {
  const group = 'goTo';
  return [
    { id: 'palette', title: m.palette_title, group, keys: keys.palette, run: () => dialogs.showPalette() },
    {
      id: 'shortcuts',
      title: m.shortcuts,
      group,
      keys: keys.shortcuts,
      words: [m.command_shortcuts_words],
      run: () => dialogs.showShortcuts(),
    },
    { id: 'tour', title: m.command_tour, group, words: [m.command_tour_words], run: () => tour.begin() },
    ...(install.isOffered
      ? [
          {
            id: 'install',
            title: m.command_install,
            group: 'goTo' as const,
            words: [m.command_install_words],
            run: () => void install.ask(),
          },
        ]
      : []),
    { id: 'feeds', title: m.command_feeds, group, run: () => location.assign('/feeds') },
    { id: 'inspector', title: m.command_inspector, group, run: () => location.assign('/inspector') },
    { id: 'widgets', title: m.command_widgets, group, run: () => location.assign('/widgets') },
  ];
}

/** Those that have every word of the query in their titles, group or words; those with it in a title first. */
export function findCommands(commands: readonly Command[], query: string): Command[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (text: string) => words.every((word) => text.toLowerCase().includes(word));
  return [
    ...commands.filter(({ titles }) => has(titles)),
    ...commands.filter(({ titles, words: more }) => !has(titles) && has(`${titles} ${more}`)),
  ];
}
