/** What browsers fire that can install a page; TypeScript's own types do not have it. */
interface InstallEvent extends Event {
  prompt(): Promise<unknown>;
}

/** Installing the page as an app, where the browser offers it. */
export class Install {
  #offer = $state.raw<InstallEvent | null>(null);

  get isOffered(): boolean {
    return this.#offer !== null;
  }

  /** Returns how to stop. */
  start(): () => void {
    const take = (event: Event) => {
      // The page asks when somebody wants it; browsers would ask at any time.
      event.preventDefault();
      this.#offer = event as InstallEvent;
    };
    const drop = () => (this.#offer = null);
    addEventListener('beforeinstallprompt', take);
    addEventListener('appinstalled', drop);
    return () => {
      removeEventListener('beforeinstallprompt', take);
      removeEventListener('appinstalled', drop);
    };
  }

  /** Has the browser ask. To be called from what somebody does with the page; an offer can be taken once. */
  async ask(): Promise<void> {
    const offer = this.#offer;
    this.#offer = null;
    await offer?.prompt();
  }
}
