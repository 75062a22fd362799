import { m } from '../paraglide/messages.js';

/** Notifications of the desktop, which the browser asks the user about. */
export class DesktopNotifications {
  /** `unsupported` too where the page came without TLS: browsers then have none. */
  leave = $state<NotificationPermission | 'unsupported'>(leaveNow());

  /** Asks for leave where nobody was asked; returns whether it is there. */
  async ask(): Promise<boolean> {
    if (this.leave === 'default') {
      await Notification.requestPermission();
      this.leave = leaveNow();
    }
    return this.leave === 'granted';
  }

  /** @param tag a later one with the same tag takes the place of the earlier one */
  show(title: string, body: string, tag: string): void {
    if (this.leave !== 'granted') return;
    try {
      const notification = new Notification(title, { body, tag });
      notification.onclick = () => {
        window.focus();
        notification.close();
      };
    } catch {
      this.leave = 'unsupported'; // phones want a service worker
    }
  }

  /** Why there are none; null where they are let, or nobody was asked. */
  get problem(): string | null {
    if (this.leave === 'denied') return m.alert_desktop_denied();
    if (this.leave === 'unsupported') return m.alert_desktop_unsupported();
    return null;
  }
}

function leaveNow(): NotificationPermission | 'unsupported' {
  return 'Notification' in globalThis && globalThis.isSecureContext ? Notification.permission : 'unsupported';
}
