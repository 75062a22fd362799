const STORAGE_KEY = 'depthwire.key';

/** The key or token that this tab shows the server: forgotten with the tab, and seen by no other. */
class Credential {
  #value = stored();

  get value(): string | null {
    return this.#value;
  }

  set value(value: string | null) {
    this.#value = value;
    try {
      if (value === null) sessionStorage.removeItem(STORAGE_KEY);
      else sessionStorage.setItem(STORAGE_KEY, value);
    } catch {
      // storage is off: it is good until the page is left
    }
  }
}

function stored(): string | null {
  try {
    return sessionStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}

export const credential = new Credential();
