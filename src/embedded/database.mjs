import pg from 'pg';

const DUPLICATE_DATABASE = '42P04';

/**
 * Makes the database that the address names, if it is not there.
 * @param {string} url of a superuser
 */
export async function ensureDatabase(url) {
  const name = new URL(url).pathname.slice(1);
  const maintenance = new URL('/postgres', url).href;
  const client = new pg.Client({ connectionString: maintenance, ssl: false, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } catch (error) {
    if (/** @type {{ code?: string }} */ (error).code !== DUPLICATE_DATABASE) throw error;
  } finally {
    await client.end();
  }
}
