const DAY = /^\d{4}-\d\d-\d\d$/;

/**
 * Whether a text is a day of the calendar, YYYY-MM-DD. JavaScript takes the 30th of February for
 * one in March.
 */
export function isDay(text: string): boolean {
  return DAY.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.slice(0, 10) === text;
}
