import { keys, showKeys } from '../commands/keys.ts';
import { m } from '../paraglide/messages.js';

export interface TourStep {
  /** What it is about, in the page. */
  readonly target: string;
  readonly side: 'top' | 'right' | 'bottom' | 'left';
  readonly title: () => string;
  readonly text: () => string;
}

const head = (kind: string) => `.dv-groupview:has([data-testid='panel-${kind}'])`;

/** Of docked panels. Those whose target is not there are left out. */
export const deskSteps: readonly TourStep[] = [
  {
    target: "[data-testid='panel-watchlist']",
    side: 'right',
    title: m.tour_list,
    text: () => m.tour_list_text(),
  },
  {
    target: `${head('book')} [data-testid='freshness']`,
    side: 'bottom',
    title: m.tour_state,
    text: () => m.tour_state_text(),
  },
  {
    target: "[data-testid='panel-book']",
    side: 'left',
    title: m.tour_ladder,
    text: () => m.tour_ladder_text(),
  },
  {
    target: `${head('chart')} .dv-tabs-and-actions-container`,
    side: 'bottom',
    title: m.tour_chart,
    text: () => m.tour_chart_text(),
  },
  {
    target: `${head('chart')} .dock-buttons`,
    side: 'bottom',
    title: m.tour_panels,
    text: () => m.tour_panels_text(),
  },
  {
    target: "[data-tour='palette']",
    side: 'bottom',
    title: m.tour_palette,
    text: () => m.tour_palette_text({ keys: showKeys(keys.palette) }),
  },
  {
    target: "[data-testid='alerts-button']",
    side: 'bottom',
    title: m.tour_alerts,
    text: () => m.tour_alerts_text({ keys: showKeys(keys.newAlert) }),
  },
  {
    target: "[data-testid='status-bar']",
    side: 'top',
    title: m.tour_status,
    text: () => m.tour_status_text(),
  },
];

/** Of a phone. */
export const phoneSteps: readonly TourStep[] = [
  {
    target: "[data-tour='page-watchlist']",
    side: 'top',
    title: m.tour_phone_pages,
    text: () => m.tour_phone_pages_text(),
  },
  {
    target: "[data-testid='panel-chart'] [data-testid='freshness']",
    side: 'bottom',
    title: m.tour_state,
    text: () => m.tour_phone_state_text(),
  },
  {
    target: "[data-tour='page-ladder']",
    side: 'top',
    title: m.tour_ladder,
    text: () => m.tour_phone_ladder_text(),
  },
  {
    target: "[data-tour='page-alerts']",
    side: 'top',
    title: m.tour_alerts,
    text: () => m.tour_phone_alerts_text(),
  },
  {
    target: "[data-testid='connection']",
    side: 'bottom',
    title: m.tour_phone_connection,
    text: () => m.tour_phone_connection_text(),
  },
];
