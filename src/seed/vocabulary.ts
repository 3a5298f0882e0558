/** A place tenants are at: its time zone, and the currency that most of their accounts are in. */
export interface Place {
  readonly timeZone: string;
  readonly currency: string;
}

/** A kind of transaction. Amounts scatter around `typical`, which is in EUR. */
export interface TransactionKind {
  readonly category: string | null;
  readonly direction: 'CREDIT' | 'DEBIT';
  readonly typical: number;
  /** In percent of all transactions; together they are 100. */
  readonly share: number;
  readonly description: string | null;
}

export const PLACES: readonly Place[] = [
  { timeZone: 'Europe/Prague', currency: 'CZK' },
  { timeZone: 'America/New_York', currency: 'USD' },
  { timeZone: 'Europe/London', currency: 'GBP' },
  { timeZone: 'Asia/Tokyo', currency: 'JPY' },
  { timeZone: 'Europe/Berlin', currency: 'EUR' },
  { timeZone: 'Australia/Sydney', currency: 'AUD' },
  { timeZone: 'America/Sao_Paulo', currency: 'BRL' },
  { timeZone: 'Asia/Kolkata', currency: 'INR' },
  { timeZone: 'America/Los_Angeles', currency: 'USD' },
  { timeZone: 'Pacific/Auckland', currency: 'NZD' },
];

/** Currencies that accounts are in beside that of their tenant's place. */
export const FOREIGN_CURRENCIES: readonly string[] = ['EUR', 'USD'];

/** Roughly what 1 EUR is, so that amounts look at home; and how many decimals are in use. */
export const CURRENCIES: Readonly<Record<string, { readonly perEuro: number; readonly decimals: number }>> = {
  AUD: { perEuro: 1.6, decimals: 2 },
  BRL: { perEuro: 6, decimals: 2 },
  CZK: { perEuro: 25, decimals: 2 },
  EUR: { perEuro: 1, decimals: 2 },
  GBP: { perEuro: 0.85, decimals: 2 },
  INR: { perEuro: 90, decimals: 2 },
  JPY: { perEuro: 160, decimals: 0 },
  NZD: { perEuro: 1.8, decimals: 2 },
  USD: { perEuro: 1.1, decimals: 2 },
};

export const BANKS: readonly string[] = [
  'Harbour Bank',
  'Union Savings',
  'Northern Trust House',
  'Meridian Bank',
  'First Cooperative',
  'Old Mill Bank',
  'Riverside Credit',
  'Granite Bank',
];

export const TRANSACTION_KINDS: readonly TransactionKind[] = [
  { category: 'SALARY', direction: 'CREDIT', typical: 2_000, share: 4, description: 'Monthly salary' },
  { category: 'TRANSFER', direction: 'CREDIT', typical: 300, share: 9, description: 'Incoming transfer' },
  { category: 'INTEREST', direction: 'CREDIT', typical: 4, share: 3, description: null },
  { category: null, direction: 'CREDIT', typical: 50, share: 2, description: 'Cash deposit' },
  { category: 'RENT', direction: 'DEBIT', typical: 800, share: 5, description: 'Rent' },
  { category: 'GROCERIES', direction: 'DEBIT', typical: 40, share: 26, description: 'Card payment' },
  { category: 'DINING', direction: 'DEBIT', typical: 25, share: 13, description: 'Card payment' },
  { category: 'TRANSPORT', direction: 'DEBIT', typical: 12, share: 12, description: 'Card payment' },
  { category: 'UTILITIES', direction: 'DEBIT', typical: 110, share: 6, description: 'Direct debit' },
  { category: 'INSURANCE', direction: 'DEBIT', typical: 70, share: 4, description: 'Direct debit' },
  { category: 'TRANSFER', direction: 'DEBIT', typical: 220, share: 7, description: 'Outgoing transfer' },
  { category: 'FEES', direction: 'DEBIT', typical: 3, share: 4, description: null },
  { category: null, direction: 'DEBIT', typical: 60, share: 5, description: 'Cash withdrawal' },
];
