// What a page bundles that shows live data.
export { DepthwireClient, formatUnits } from '@depthwire/shared';
