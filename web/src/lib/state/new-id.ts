/** A random name for what is kept. `crypto.randomUUID` is there only over TLS, and a server in the house may have none. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
