import { findPostmaster, stopPostmaster } from './postmaster.mjs';
import { hasLiveUsers } from './users.mjs';

/**
 * To be called under the place's lock.
 * @param {import('./place.mjs').Place} place
 */
export async function stopIfUnused({ users, data }) {
  if (hasLiveUsers(users)) return;
  const postmaster = await findPostmaster(data);
  if (postmaster) await stopPostmaster(data, postmaster);
}
