/** What moves several instruments at once. */
export type Factor = 'crypto' | 'equity' | 'technology' | 'dollar' | 'rates' | 'commodity';

/** One market as a table row; prices and sizes in the instrument's own currencies. */
export interface ProfileRow {
  readonly base: string;
  readonly quote: string;
  readonly name: string;
  readonly tick: string;
  readonly lot: string;
  readonly price: number;
  readonly volatility: number;
  readonly loadings: Partial<Record<Factor, number>>;
  readonly spreadTicks: number;
  readonly gapTicks?: number;
  readonly levels: number;
  readonly levelSize: number;
  readonly updatesPerS: number;
  readonly tradesPerS: number;
  readonly tradeSize: number;
  readonly round: number;
  readonly burstsPerHour?: number;
  readonly burstFactor?: number;
}

// prettier-ignore
const spot: readonly ProfileRow[] = [
  { base: 'BTC', quote: 'USD', name: 'Bitcoin / US dollar', tick: '0.01', lot: '0.00001', price: 95_000, volatility: 0.5, loadings: { crypto: 0.92, equity: 0.2 }, spreadTicks: 90, gapTicks: 110, levels: 400, levelSize: 0.35, updatesPerS: 120, tradesPerS: 4, tradeSize: 0.03, round: 1000 },
  { base: 'ETH', quote: 'USD', name: 'Ether / US dollar', tick: '0.01', lot: '0.0001', price: 3_300, volatility: 0.65, loadings: { crypto: 0.9, equity: 0.2 }, spreadTicks: 8, gapTicks: 7, levels: 400, levelSize: 4, updatesPerS: 90, tradesPerS: 3, tradeSize: 0.6, round: 100 },
  { base: 'SOL', quote: 'USD', name: 'Solana / US dollar', tick: '0.01', lot: '0.001', price: 165, volatility: 0.8, loadings: { crypto: 0.84, equity: 0.2 }, spreadTicks: 1.4, levels: 300, levelSize: 45, updatesPerS: 60, tradesPerS: 2, tradeSize: 9, round: 5 },
  { base: 'XRP', quote: 'USD', name: 'XRP / US dollar', tick: '0.0001', lot: '0.001', price: 2.3, volatility: 0.8, loadings: { crypto: 0.8, equity: 0.1 }, spreadTicks: 2.5, levels: 300, levelSize: 5_000, updatesPerS: 45, tradesPerS: 1.5, tradeSize: 900, round: 0.05 },
  { base: 'DOGE', quote: 'USD', name: 'Dogecoin / US dollar', tick: '0.00001', lot: '0.1', price: 0.17, volatility: 0.9, loadings: { crypto: 0.82, equity: 0.15 }, spreadTicks: 2.5, levels: 250, levelSize: 40_000, updatesPerS: 35, tradesPerS: 1.2, tradeSize: 6_000, round: 0.005 },
  { base: 'ADA', quote: 'USD', name: 'Cardano / US dollar', tick: '0.0001', lot: '0.01', price: 0.55, volatility: 0.85, loadings: { crypto: 0.85, equity: 0.15 }, spreadTicks: 1, levels: 200, levelSize: 22_000, updatesPerS: 20, tradesPerS: 0.6, tradeSize: 1_500, round: 0.01 },
  { base: 'LINK', quote: 'USD', name: 'Chainlink / US dollar', tick: '0.001', lot: '0.01', price: 15, volatility: 0.85, loadings: { crypto: 0.83, equity: 0.15 }, spreadTicks: 6, gapTicks: 2, levels: 200, levelSize: 140, updatesPerS: 18, tradesPerS: 0.5, tradeSize: 40, round: 0.5 },
  { base: 'LTC', quote: 'USD', name: 'Litecoin / US dollar', tick: '0.01', lot: '0.0001', price: 92, volatility: 0.7, loadings: { crypto: 0.78 }, spreadTicks: 2.5, levels: 150, levelSize: 30, updatesPerS: 10, tradesPerS: 0.3, tradeSize: 4, round: 1 },
  { base: 'SHIB', quote: 'USD', name: 'Shiba Inu / US dollar', tick: '0.00000001', lot: '1', price: 0.0000092, volatility: 0.95, loadings: { crypto: 0.8, equity: 0.1 }, spreadTicks: 0.7, levels: 140, levelSize: 1_400_000_000, updatesPerS: 12, tradesPerS: 0.4, tradeSize: 24_000_000, round: 0.0000005 },
];

// prettier-ignore
const perpetuals: readonly ProfileRow[] = [
  { base: 'BTC', quote: 'USD', name: 'Bitcoin perpetual / US dollar', tick: '0.1', lot: '0.001', price: 95_020, volatility: 0.5, loadings: { crypto: 0.92, equity: 0.2 }, spreadTicks: 0.9, gapTicks: 4, levels: 400, levelSize: 2.2, updatesPerS: 600, tradesPerS: 12, tradeSize: 0.09, round: 500, burstsPerHour: 30, burstFactor: 16 },
  { base: 'ETH', quote: 'USD', name: 'Ether perpetual / US dollar', tick: '0.01', lot: '0.001', price: 3_300.8, volatility: 0.65, loadings: { crypto: 0.9, equity: 0.2 }, spreadTicks: 1.5, gapTicks: 3, levels: 400, levelSize: 14, updatesPerS: 220, tradesPerS: 8, tradeSize: 1.6, round: 50, burstsPerHour: 12, burstFactor: 6 },
  { base: 'SOL', quote: 'USD', name: 'Solana perpetual / US dollar', tick: '0.01', lot: '0.01', price: 165.05, volatility: 0.8, loadings: { crypto: 0.84, equity: 0.2 }, spreadTicks: 0.9, levels: 300, levelSize: 420, updatesPerS: 90, tradesPerS: 4, tradeSize: 22, round: 5 },
];

// No crosses (EUR-JPY, ETH-BTC): their paths would not close the triangle with these.
// prettier-ignore
export const fx: readonly ProfileRow[] = [
  { base: 'EUR', quote: 'USD', name: 'Euro / US dollar', tick: '0.00001', lot: '1000', price: 1.16, volatility: 0.08, loadings: { dollar: 0.85, rates: 0.1 }, spreadTicks: 3.5, levels: 120, levelSize: 1_800_000, updatesPerS: 60, tradesPerS: 1.5, tradeSize: 700_000, round: 0.005 },
  { base: 'GBP', quote: 'USD', name: 'Pound sterling / US dollar', tick: '0.00001', lot: '1000', price: 1.32, volatility: 0.085, loadings: { dollar: 0.75 }, spreadTicks: 6, levels: 110, levelSize: 1_300_000, updatesPerS: 45, tradesPerS: 1, tradeSize: 500_000, round: 0.005 },
  { base: 'USD', quote: 'JPY', name: 'US dollar / Japanese yen', tick: '0.001', lot: '1000', price: 154, volatility: 0.1, loadings: { dollar: -0.65, rates: -0.35 }, spreadTicks: 4, levels: 120, levelSize: 1_600_000, updatesPerS: 50, tradesPerS: 1.2, tradeSize: 600_000, round: 0.5 },
  { base: 'USD', quote: 'CHF', name: 'US dollar / Swiss franc', tick: '0.00001', lot: '1000', price: 0.805, volatility: 0.08, loadings: { dollar: -0.8 }, spreadTicks: 7, levels: 100, levelSize: 1_000_000, updatesPerS: 25, tradesPerS: 0.5, tradeSize: 400_000, round: 0.005 },
  { base: 'AUD', quote: 'USD', name: 'Australian dollar / US dollar', tick: '0.00001', lot: '1000', price: 0.655, volatility: 0.1, loadings: { dollar: 0.65, equity: 0.35, commodity: 0.2 }, spreadTicks: 5, levels: 100, levelSize: 1_100_000, updatesPerS: 25, tradesPerS: 0.6, tradeSize: 400_000, round: 0.005 },
  { base: 'USD', quote: 'CAD', name: 'US dollar / Canadian dollar', tick: '0.00001', lot: '1000', price: 1.395, volatility: 0.065, loadings: { dollar: -0.65, commodity: -0.3 }, spreadTicks: 7, levels: 100, levelSize: 1_000_000, updatesPerS: 22, tradesPerS: 0.5, tradeSize: 400_000, round: 0.005 },
  { base: 'USD', quote: 'MXN', name: 'US dollar / Mexican peso', tick: '0.0001', lot: '1000', price: 18.4, volatility: 0.13, loadings: { dollar: -0.45, equity: -0.35 }, spreadTicks: 22, gapTicks: 4, levels: 80, levelSize: 600_000, updatesPerS: 10, tradesPerS: 0.2, tradeSize: 250_000, round: 0.05 },
];

// prettier-ignore
export const equities: readonly ProfileRow[] = [
  { base: 'AAPL', quote: 'USD', name: 'Apple', tick: '0.01', lot: '1', price: 268, volatility: 0.28, loadings: { equity: 0.65, technology: 0.35 }, spreadTicks: 1.5, levels: 150, levelSize: 450, updatesPerS: 50, tradesPerS: 2.5, tradeSize: 75, round: 5 },
  { base: 'MSFT', quote: 'USD', name: 'Microsoft', tick: '0.01', lot: '1', price: 480, volatility: 0.25, loadings: { equity: 0.65, technology: 0.4 }, spreadTicks: 4, levels: 150, levelSize: 180, updatesPerS: 40, tradesPerS: 1.6, tradeSize: 45, round: 5 },
  { base: 'NVDA', quote: 'USD', name: 'NVIDIA', tick: '0.01', lot: '1', price: 182, volatility: 0.45, loadings: { equity: 0.6, technology: 0.55 }, spreadTicks: 1.2, levels: 180, levelSize: 900, updatesPerS: 80, tradesPerS: 5, tradeSize: 110, round: 5, burstsPerHour: 10 },
  { base: 'TSLA', quote: 'USD', name: 'Tesla', tick: '0.01', lot: '1', price: 405, volatility: 0.55, loadings: { equity: 0.55, technology: 0.35 }, spreadTicks: 5, gapTicks: 1.5, levels: 180, levelSize: 160, updatesPerS: 60, tradesPerS: 3, tradeSize: 50, round: 5, burstsPerHour: 10 },
  { base: 'AMZN', quote: 'USD', name: 'Amazon', tick: '0.01', lot: '1', price: 222, volatility: 0.32, loadings: { equity: 0.62, technology: 0.4 }, spreadTicks: 1.8, levels: 150, levelSize: 320, updatesPerS: 40, tradesPerS: 1.8, tradeSize: 60, round: 5 },
  { base: 'META', quote: 'USD', name: 'Meta Platforms', tick: '0.01', lot: '1', price: 610, volatility: 0.35, loadings: { equity: 0.6, technology: 0.42 }, spreadTicks: 9, gapTicks: 2.5, levels: 140, levelSize: 90, updatesPerS: 30, tradesPerS: 1, tradeSize: 30, round: 10 },
  { base: 'JPM', quote: 'USD', name: 'JPMorgan Chase', tick: '0.01', lot: '1', price: 302, volatility: 0.24, loadings: { equity: 0.65, rates: -0.15 }, spreadTicks: 4, gapTicks: 1.5, levels: 120, levelSize: 170, updatesPerS: 15, tradesPerS: 0.5, tradeSize: 45, round: 5 },
  { base: 'KO', quote: 'USD', name: 'Coca-Cola', tick: '0.01', lot: '1', price: 71, volatility: 0.16, loadings: { equity: 0.45, rates: 0.15 }, spreadTicks: 0.75, levels: 100, levelSize: 1_400, updatesPerS: 8, tradesPerS: 0.4, tradeSize: 90, round: 1, burstsPerHour: 2 },
  { base: 'BRK.A', quote: 'USD', name: 'Berkshire Hathaway class A', tick: '0.01', lot: '1', price: 745_000, volatility: 0.18, loadings: { equity: 0.6 }, spreadTicks: 70_000, gapTicks: 20_000, levels: 25, levelSize: 3, updatesPerS: 0.4, tradesPerS: 0.006, tradeSize: 1.3, round: 5_000, burstsPerHour: 0 },
];

// prettier-ignore
export const futures: readonly ProfileRow[] = [
  { base: 'ES', quote: 'USD', name: 'E-mini S&P 500 future', tick: '0.25', lot: '1', price: 6_700, volatility: 0.16, loadings: { equity: 0.95, technology: 0.15 }, spreadTicks: 0.75, levels: 200, levelSize: 60, updatesPerS: 140, tradesPerS: 6, tradeSize: 3.2, round: 25, burstsPerHour: 12 },
  { base: 'NQ', quote: 'USD', name: 'E-mini Nasdaq-100 future', tick: '0.25', lot: '1', price: 24_600, volatility: 0.22, loadings: { equity: 0.87, technology: 0.42 }, spreadTicks: 2.5, gapTicks: 1.2, levels: 200, levelSize: 5, updatesPerS: 110, tradesPerS: 5, tradeSize: 1.8, round: 50, burstsPerHour: 12 },
  { base: 'CL', quote: 'USD', name: 'WTI crude oil future', tick: '0.01', lot: '1', price: 61, volatility: 0.35, loadings: { commodity: 0.75, equity: 0.2 }, spreadTicks: 0.85, levels: 160, levelSize: 22, updatesPerS: 45, tradesPerS: 1.8, tradeSize: 2.2, round: 0.5 },
  { base: 'NG', quote: 'USD', name: 'Natural gas future', tick: '0.001', lot: '1', price: 4.3, volatility: 0.6, loadings: { commodity: 0.4 }, spreadTicks: 1.8, levels: 120, levelSize: 14, updatesPerS: 20, tradesPerS: 0.7, tradeSize: 2, round: 0.05 },
  { base: 'GC', quote: 'USD', name: 'Gold future', tick: '0.1', lot: '1', price: 4_080, volatility: 0.18, loadings: { commodity: 0.45, dollar: 0.45, rates: 0.3 }, spreadTicks: 1.8, levels: 160, levelSize: 9, updatesPerS: 40, tradesPerS: 1.6, tradeSize: 1.9, round: 10 },
  { base: 'SI', quote: 'USD', name: 'Silver future', tick: '0.005', lot: '1', price: 50.5, volatility: 0.32, loadings: { commodity: 0.55, dollar: 0.4 }, spreadTicks: 2, levels: 120, levelSize: 7, updatesPerS: 20, tradesPerS: 0.6, tradeSize: 1.6, round: 0.5 },
  { base: 'ZN', quote: 'USD', name: '10-year Treasury note future', tick: '0.015625', lot: '1', price: 113, volatility: 0.06, loadings: { rates: 0.9, equity: -0.15 }, spreadTicks: 0.6, levels: 100, levelSize: 1_900, updatesPerS: 25, tradesPerS: 0.9, tradeSize: 24, round: 0.5, burstsPerHour: 3 },
];

export const crypto = { spot, perpetuals } as const;
