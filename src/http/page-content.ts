/** What an explorer page has in its editors when it opens. */
export interface PageContent {
  readonly query: string;
  /** For the Authorization header. Absent: the header is there to be filled in. */
  readonly token?: string;
}

/** The sign of the service, on both pages and their tabs. */
export const MARK_SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="32" height="32">' +
  '<rect width="32" height="32" rx="7" fill="#14532d"/><path d="M8 9h16M16 9v15" stroke="#fff" stroke-width="4"/></svg>';
export const MARK_URL = `data:image/svg+xml,${encodeURIComponent(MARK_SVG)}`;
