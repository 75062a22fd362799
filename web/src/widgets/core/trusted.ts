/** The part of Trusted Types that is used; TypeScript does not know them. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

/**
 * A script's URL for a worker, also on pages that have Trusted Types: these have to allow the policy `depthwire`.
 * @throws TypeError where they do not
 */
export function scriptUrl(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (!trustedTypes) return url;
  policy ??= trustedTypes.createPolicy('depthwire', { createScriptURL: (given) => given });
  return policy.createScriptURL(url);
}

let policy: ReturnType<TrustedTypes['createPolicy']> | null = null;
