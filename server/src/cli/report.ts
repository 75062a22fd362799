import type { DepthwireError } from '@depthwire/shared';

/** Tells the person at the command line what is wrong. */
export function report(error: DepthwireError): void {
  process.stderr.write(
    `depthwire: ${error.message}\n  (${error.code}${error.retry ? ', trying again may help' : ''})\n`,
  );
}
