import { m } from '../../paraglide/messages.js';
import { oneOf, toggle, type ViewSection } from '../../ui/ViewMenu.svelte';
import { ladderColumns, type LadderColumn, type LadderSettings } from './ladder-settings.ts';

const columnTexts: Record<LadderColumn, () => string> = {
  size: m.column_size,
  total: m.column_total,
  value: m.column_value,
  atBid: m.column_at_bid,
  atAsk: m.column_at_ask,
};

/** What a ladder can be made to show. */
export function ladderMenu(
  settings: LadderSettings,
  units: Readonly<Record<LadderSettings['unit'], string>>,
  chooseUnit: (unit: LadderSettings['unit']) => void,
): ViewSection[] {
  return [
    {
      label: m.view_rows(),
      options: [
        ...oneOf(
          { book: m.ladder_by_level(), fixed: m.ladder_fixed() },
          settings.mode,
          (mode) => (settings.mode = mode),
        ),
        ...(settings.mode === 'fixed'
          ? [toggle(m.ladder_follow(), settings.follow, (follow) => (settings.follow = follow))]
          : []),
      ],
    },
    {
      label: m.ladder_columns(),
      options: ladderColumns.map((column) =>
        toggle(columnTexts[column](), settings.columns.includes(column), (isShown) => {
          settings.columns = ladderColumns.filter((each) =>
            each === column ? isShown : settings.columns.includes(each),
          );
        }),
      ),
    },
    {
      label: m.view_bars(),
      options: oneOf(
        { both: m.bars_both(), size: m.column_size(), total: m.bars_total(), none: m.bars_none() },
        settings.bars,
        (bars) => (settings.bars = bars),
      ),
    },
    {
      label: m.view_sizes_in(),
      options: oneOf(units, settings.unit, chooseUnit),
    },
  ];
}
