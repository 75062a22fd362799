import { oneOf, toggle, type ViewSection } from '../../ui/ViewMenu.svelte';
import { ladderColumns, type LadderColumn, type LadderSettings } from './ladder-settings.ts';

const columnTexts: Record<LadderColumn, string> = {
  size: 'Size',
  total: 'Cumulative size',
  value: 'Value',
  atBid: 'Traded at the bid',
  atAsk: 'Traded at the ask',
};

/** What a ladder can be made to show. */
export function ladderMenu(
  settings: LadderSettings,
  units: Readonly<Record<LadderSettings['unit'], string>>,
  chooseUnit: (unit: LadderSettings['unit']) => void,
): ViewSection[] {
  return [
    {
      label: 'Rows',
      options: [
        ...oneOf(
          { book: 'Levels, best in the middle', fixed: 'Fixed prices, a row for each' },
          settings.mode,
          (mode) => (settings.mode = mode),
        ),
        ...(settings.mode === 'fixed'
          ? [
              toggle(
                'Keep the best prices near the middle',
                settings.follow,
                (follow) => (settings.follow = follow),
              ),
            ]
          : []),
      ],
    },
    {
      label: 'Columns beside the price',
      options: ladderColumns.map((column) =>
        toggle(columnTexts[column], settings.columns.includes(column), (isShown) => {
          settings.columns = ladderColumns.filter((each) =>
            each === column ? isShown : settings.columns.includes(each),
          );
        }),
      ),
    },
    {
      label: 'Bars',
      options: oneOf(
        { both: 'Size and cumulative', size: 'Size', total: 'Cumulative', none: 'None' },
        settings.bars,
        (bars) => (settings.bars = bars),
      ),
    },
    {
      label: 'Sizes in',
      options: oneOf(units, settings.unit, chooseUnit),
    },
  ];
}
