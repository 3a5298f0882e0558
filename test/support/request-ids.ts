/** In place of the id of a request, which differs each time. */
export const ITS_ID = '(its id)';

/** A text in which a request's own id is shown as `ITS_ID`: another's stays, and differs. */
export function withItsId(body: string, requestId: string | null | undefined): string {
  return requestId ? body.replaceAll(JSON.stringify(requestId), JSON.stringify(ITS_ID)) : body;
}
