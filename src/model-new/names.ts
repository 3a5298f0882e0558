/** `GiftCard` and `giftCard` as `gift_card`. */
export function columnName(name: string): string {
  return name.replace(/(?<=.)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

/** `GiftCard` as `gift-card`. */
export function fileName(name: string): string {
  return columnName(name).replaceAll('_', '-');
}

/** `GiftCard` as `giftCard`. */
export function propertyName(name: string): string {
  return `${name[0]?.toLowerCase()}${name.slice(1)}`;
}

/** `Card` as `cards`, `Policy` as `policies`, `Address` as `addresses`. */
export function pluralOf(name: string): string {
  const property = propertyName(name);
  if (/[^aeiou]y$/.test(property)) return `${property.slice(0, -1)}ies`;
  return /(?:s|x|z|ch|sh)$/.test(property) ? `${property}es` : `${property}s`;
}

/** The last word of a name: `BankAccount` as `account`. */
export function lastWord(name: string): string {
  return propertyName(/[A-Z][a-z0-9]*$/.exec(name)?.[0] ?? name);
}
