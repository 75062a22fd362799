/** What this browser keeps of the page. Where it keeps nothing, what was chosen lasts as long as the page. */
class BrowserStorage {
  /** Whether something that was to be kept is not: storage is blocked, or full. */
  hasFailed = $state(false);

  /** The text under a key; null where there is none, or storage is blocked. */
  read(key: string): string | null {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  }

  /** What was kept as JSON; null where there is nothing, or something else. */
  readJson(key: string): unknown {
    try {
      return JSON.parse(this.read(key) ?? 'null');
    } catch {
      return null;
    }
  }

  /** @param text null to forget it */
  write(key: string, text: string | null): void {
    try {
      if (text === null) localStorage.removeItem(key);
      else localStorage.setItem(key, text);
    } catch {
      this.hasFailed = true;
    }
  }
}

export const storage = new BrowserStorage();
