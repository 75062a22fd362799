import { defineWidgets, type PriceDetail, type StateDetail } from '@depthwire/widgets';
import type {} from '@depthwire/widgets/react';

// A key, where the server wants one, goes here too: `key` of an element is React's own.
defineWidgets({ server: 'https://data.example.com/' });

interface Props {
  readonly instrument: string;
  readonly theme?: 'auto' | 'light' | 'dark';
  readonly onPrice?: (price: PriceDetail) => void;
  readonly onState?: (state: StateDetail) => void;
}

/** When React takes the element away, the widget ends what it has open. */
export function Ticker({ instrument, theme, onPrice, onState }: Props) {
  return (
    <depthwire-ticker
      instrument={instrument}
      theme={theme}
      ondw-price={({ detail }) => onPrice?.(detail)}
      ondw-state={({ detail }) => onState?.(detail)}
    />
  );
}
