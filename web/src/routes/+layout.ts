// The page is made of live data alone: nothing of it could be rendered ahead.
export const ssr = false;
export const prerender = true;
