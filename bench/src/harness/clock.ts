/** Unix milliseconds with their fractions, as the server's clock has them: all processes of a machine share it. */
export const unixMs = (): number => performance.timeOrigin + performance.now();
