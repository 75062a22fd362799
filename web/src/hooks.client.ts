import type { HandleClientError } from '@sveltejs/kit/hooks';

/** The page of errors says what failed: all of it is of this browser, and nothing in it is a secret. */
export const handleError: HandleClientError = ({ error }) => {
  // eslint-disable-next-line no-console -- what Kit does where there is no hook
  console.error(error);
  return error instanceof Error ? { message: error.message } : {};
};
