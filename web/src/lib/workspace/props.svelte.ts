/** Properties of a component that is mounted by hand: what is written to them it sees. */
export function props<T extends object>(initial: T): T {
  const given = $state(initial);
  return given;
}
