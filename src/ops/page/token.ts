/**
 * For this tab, until it is closed: a token must survive a reload, and nothing else. Not
 * localStorage, which outlives the person at the machine; not a cookie, which the browser would
 * send by itself.
 */
const KEY = 'tenantry-operator-token';

export const keptToken = {
  read: (): string | null => sessionStorage.getItem(KEY),
  write: (token: string): void => sessionStorage.setItem(KEY, token),
  forget: (): void => sessionStorage.removeItem(KEY),
};
