import packageJson from '../package.json' with { type: 'json' };

/** Depthwire's own version. */
export const version: string = packageJson.version;
